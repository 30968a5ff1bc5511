package intake_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
)

// shelf is a store that answers what it is told to, and takes bodies up to a limit.
type shelf struct {
	receipt event.Receipt
	fails   error
	limit   int // 0 = none

	events []event.Event
	asides []event.Aside
}

func (s *shelf) Publish(_ context.Context, e event.Event) (event.Receipt, error) {
	if s.limit > 0 && len(e.Body) > s.limit {
		return "", event.ErrTooLarge
	}
	if s.fails == nil {
		s.events = append(s.events, e)
	}
	return s.receipt, s.fails
}

func (s *shelf) PutAside(_ context.Context, a event.Aside) error {
	if s.limit > 0 && len(a.Body) > s.limit {
		return event.ErrTooLarge
	}
	if s.fails == nil {
		s.asides = append(s.asides, a)
	}
	return s.fails
}

var (
	site    = calltouch.Site{ID: "10001"}
	now     = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	errAway = errors.New("the store is away")
)

func hook(body string) intake.Arrival {
	return intake.Hook(event.Event{
		Key: event.Key{Site: site.ID}, Origin: event.Webhook, ContentType: calltouch.FormType, Body: []byte(body), Received: now,
	}, site.View())
}

func record(t *testing.T, body string) intake.Arrival {
	t.Helper()
	r, err := calltouch.ReadListed([]byte(body), event.CallEnded, site.View())
	if err != nil {
		t.Fatal(err)
	}
	r.Size = len(body)
	return intake.Record(&site, r, event.Journal, now)
}

// One rule for whatever came: an event is published, all else is set aside under its reason, and where the
// store did not answer nothing is decided.
func TestOffer(t *testing.T) {
	const call, listed = "id=1&callphase=calldisconnected&callerphone=79991112233", `{"callId":1,"timestamp":1698092972}`
	large := `{"callId":1,"x":"` + strings.Repeat("x", 200<<10) + `"}`
	tests := []struct {
		name    string
		arrival intake.Arrival
		store   shelf
		want    intake.Result
		aside   event.Aside // what matters of it
	}{
		{"a hook", hook(call), shelf{receipt: event.ReceiptStored}, intake.Result{Receipt: event.ReceiptStored}, event.Aside{}},
		{"a record", record(t, listed), shelf{receipt: event.ReceiptRepeated}, intake.Result{Receipt: event.ReceiptRepeated}, event.Aside{}},
		{"no event", hook("city=x"), shelf{}, intake.Result{Aside: calltouch.AsideNoID}, event.Aside{Reason: "no_id"}},
		{
			"another call under the id of a hook", hook(call), shelf{receipt: event.ReceiptCollision},
			intake.Result{Receipt: event.ReceiptCollision, Aside: calltouch.AsideCollision}, event.Aside{Reason: "collision"},
		},
		{
			"another call under the id of a record", record(t, listed), shelf{receipt: event.ReceiptCollision},
			intake.Result{Receipt: event.ReceiptCollision, Aside: calltouch.AsideCollision},
			event.Aside{Reason: "collision", Key: "10001/call-ended/1", Size: len(listed)},
		},
		{
			"a record that the store takes from nobody", record(t, large), shelf{limit: 100 << 10},
			intake.Result{Aside: calltouch.AsideTooLarge}, event.Aside{Reason: "too_large", Key: "10001/call-ended/1", Size: len(large)},
		},
		{"a record of another site", record(t, `{"callId":1,"siteId":7}`), shelf{}, intake.Result{Aside: calltouch.AsideOtherSite}, event.Aside{Reason: "other_site", Key: "10001/call-ended/1", Size: 23}},
		{
			"a large record of another site", record(t, strings.Replace(large, `"callId":1`, `"callId":1,"siteId":7`, 1)), shelf{limit: 100 << 10},
			intake.Result{Aside: calltouch.AsideOtherSite}, event.Aside{Reason: "other_site", Key: "10001/call-ended/1", Size: len(large) + len(`,"siteId":7`)},
		},
		{"a record without an id", record(t, `{"timestamp":1698092972}`), shelf{}, intake.Result{Aside: calltouch.AsideNoID}, event.Aside{Reason: "no_id", Size: 24}},
		{"a hook again", intake.Again(event.Aside{Site: "10001", Key: "k", Body: []byte("id=")}, site.View()), shelf{}, intake.Result{Aside: calltouch.AsideEmpty}, event.Aside{Reason: "empty", Key: "k"}},
		{"a hook that cannot be read", intake.Unreadable(event.Aside{Site: "10001", Key: "k"}), shelf{}, intake.Result{Aside: calltouch.AsideUnreadable}, event.Aside{Reason: "unreadable", Key: "k"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := intake.Intake{Store: &tt.store}.Offer(t.Context(), &tt.arrival)
			if err != nil || got != tt.want {
				t.Fatalf("got %+v, want %+v: %v", got, tt.want, err)
			}
			if tt.want.Aside == "" {
				if len(tt.store.events) != 1 || len(tt.store.asides) != 0 {
					t.Errorf("%d events, set aside %+v", len(tt.store.events), tt.store.asides)
				}
				return
			}
			if len(tt.store.asides) != 1 {
				t.Fatalf("set aside %+v", tt.store.asides)
			}
			kept := tt.store.asides[0]
			if kept.Site != "10001" || len(kept.Body) > calltouch.MaxHead {
				t.Errorf("kept %d bytes of site %s", len(kept.Body), kept.Site)
			}
			if diff := cmp.Diff(tt.aside, event.Aside{Reason: kept.Reason, Key: kept.Key, Size: kept.Size}); diff != "" {
				t.Error(diff)
			}
			away := intake.Intake{Store: &shelf{fails: errAway}}
			if got, err := away.Offer(t.Context(), &tt.arrival); err == nil || got != (intake.Result{}) {
				t.Errorf("the store is away, and yet %+v", got)
			}
		})
	}
}

// A hook that waits for its record is kept with the key under which it will be an event.
func TestKeepForRecord(t *testing.T) {
	s := &shelf{}
	a := hook("requestId=6&requestDate=2026-11-27+22:07:24")
	if err := (intake.Intake{Store: s}).KeepForRecord(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
	if kept := s.asides[0]; kept.Reason != string(calltouch.AsideUnpolled) || kept.Key != "10001/request/6" || len(kept.Body) == 0 {
		t.Errorf("kept %+v", kept)
	}
}
