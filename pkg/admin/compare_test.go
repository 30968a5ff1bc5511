package admin_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestCompareALinkInShadowModeWithALiveOne(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	file := linktest.File{Links: []linktest.Link{
		{More: long + "when: duration > 5"},
		{ID: "twin", More: long + "mode: shadow\nwhen: duration > 20", Operation: "CallTouch", Body: "customer.area: SPB"},
		{ID: "requests", Event: "request", More: long},
	}}.Parse(t)
	runs(t, q, file)
	hooks(t, q, 3, 10, 10, 30, 30, 30)
	a := admin.Admin{Queue: q, File: file, Reads: reads}
	got, err := a.Compare(t.Context(), admin.CompareOptions{Link: "calls", With: "twin"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Both != 3 || got.OnlyLink != 2 || got.OnlyWith != 0 || got.Differs != 3 || len(got.Differences) != 1 || got.Differences[0].Path != "customer.area" {
		t.Errorf("%+v", got)
	}
	want := []admin.Move{{From: event.Delivered, To: event.Filtered, Why: "duration > 20", Group: admin.Group{Count: 2, Example: "10001/call-ended/2"}}}
	if diff := cmp.Diff(want, got.Moves); diff != "" {
		t.Error(diff)
	}
	if got, err := a.Compare(t.Context(), admin.CompareOptions{Link: "calls", With: "requests"}); err != nil || got.NotRead.Count != 6 || got.Both != 0 {
		t.Errorf("links of other kinds: %+v, %v", got, err)
	}

	late := linktest.File{Links: []linktest.Link{{More: long}, {ID: "late", More: "since: \"2999-01-01\"", Operation: "CallTouch"}}}.Parse(t)
	if got, err := (admin.Admin{Queue: q, File: late, Reads: reads}).Compare(t.Context(), admin.CompareOptions{Link: "calls", With: "late"}); err != nil || got.Older.Count != 6 || got.OnlyLink != 0 || len(got.Moves) != 0 {
		t.Errorf("beside one that starts later: %+v, %v", got, err)
	}

	changed := linktest.File{Links: []linktest.Link{{More: long + "when: duration > 15"}}}.Parse(t)
	now := admin.Admin{Queue: q, File: changed, Reads: reads}
	got, err = now.Compare(t.Context(), admin.CompareOptions{Link: "calls", With: file.Link("calls").Version[:8]})
	if err != nil || got.Both != 3 || got.OnlyLink != 0 || got.OnlyWith != 2 {
		t.Errorf("beside its version: %+v, %v", got, err)
	}
	for _, o := range []admin.CompareOptions{{Link: "nope", With: "calls"}, {Link: "calls", With: "nope"}} {
		if _, err := now.Compare(t.Context(), o); !errors.Is(err, admin.ErrNoLink) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestCompareALinkWithTheIDsOfAnotherSystem(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1, 2, 3, 4, 5, 6)
	h.store(event.Event{Key: event.Key{Site: "10001", Kind: event.CallStarted, ID: "70"}, Origin: event.Webhook, Body: []byte("id=70"), Received: time.Now(), Time: time.Now()})
	if err := h.Queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "collision", Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: []byte("id=80&callerphone=79160000080&callphase=calldisconnected&siteId=10001"), Received: time.Now()}); err != nil {
		t.Fatal(err)
	}
	decisions := map[string]queue.Decision{
		"3": {Outcome: event.Filtered, Reason: "condition", Detail: map[string]any{"conditions": []map[string]any{{"source": "unique", "pass": true}, {"source": "duration > 5"}}}},
		"4": {Outcome: event.Undeliverable, Reason: "missing", Detail: map[string]any{"missing": []string{"customer.mobilePhone"}}},
		"5": refused,
		"6": {Outcome: event.Shadow},
	}
	stop := h.run("dynamic", func(d *queue.Delivery) queue.Decision {
		if x, ok := decisions[d.Event.Key.ID]; ok {
			return x
		}
		return queue.Decision{Outcome: event.Delivered}
	})
	h.wait("dynamic", event.Delivered, 1, 2)
	h.wait("dynamic", event.Shadow, 6)
	h.wait("dynamic", event.Dead, 5)
	h.wait("dynamic", event.Undeliverable, 4)
	h.wait("dynamic", event.Filtered, 3)
	stop()

	var told []string
	got, err := h.CompareIDs(t.Context(), admin.IDOptions{
		Link: "dynamic", IDs: []string{"10001/call-ended/1", "3", "4", "5", "6", "70", "80", "90", "3"}, Since: time.Now().Add(-time.Hour),
		Each: func(id string, here bool, g admin.IDGroup) { told = append(told, fmt.Sprint(id, " ", here)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := admin.IDComparison{
		Link: "dynamic", Given: 8, Both: 2,
		OnlyHere: []admin.IDGroup{{Outcome: "delivered", Count: 1, Example: "10001/call-ended/2"}},
		OnlyThere: []admin.IDGroup{
			{Outcome: admin.KnownAside, Why: "collision", Count: 1, Example: "80"},
			{Outcome: "dead", Why: "refused", Count: 1, Example: "10001/call-ended/5"},
			{Outcome: "filtered", Why: "duration > 5", Count: 1, Example: "10001/call-ended/3"},
			{Outcome: admin.KnownNever, Count: 1, Example: "90"},
			{Outcome: admin.KnownOther, Count: 1, Example: "10001/call-started/70"},
			{Outcome: "undeliverable", Why: "customer.mobilePhone", Count: 1, Example: "10001/call-ended/4"},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(admin.IDComparison{}, "Since", "Until")); diff != "" {
		t.Error(diff)
	}
	if len(told) != 7 {
		t.Errorf("told of %v", told)
	}
	if got, err := h.CompareIDs(t.Context(), admin.IDOptions{Link: "dynamic", IDs: []string{"1", "10001/call-ended/1"}}); err != nil || got.Given != 2 || got.Both != 1 {
		t.Errorf("an event by its id and its key: %+v, %v", got, err)
	}
	if got, err := h.CompareIDs(t.Context(), admin.IDOptions{Link: "dynamic", IDs: []string{"1"}}); err != nil || got.Both != 1 || len(got.OnlyHere) != 0 {
		t.Errorf("one id, and its own span: %+v, %v", got, err)
	}
}
