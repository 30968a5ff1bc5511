package admin_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestFind(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	h.publish(2)
	h.store(event.Event{Key: event.Key{Site: "10001", Kind: event.Request, ID: "2"}, Origin: event.Poll, Received: time.Now(), Time: time.Now()})
	tests := []struct {
		name, text string
		want       []string
		err        error
	}{
		{"an id", "1", []string{"10001/call-ended/1"}, nil},
		{"an id of two kinds", "2", []string{"10001/call-ended/2", "10001/request/2"}, nil},
		{"a key", "10001/call.ended/1", []string{"10001/call-ended/1"}, nil},
		{"nothing", "3", nil, queue.ErrNotFound},
		{"nothing under a key", "10002/call-ended/1", nil, queue.ErrNotFound},
		{"no key", "10001/call-ended", nil, event.ErrBadKey},
		{"a wildcard", "*", nil, queue.ErrNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := h.Find(t.Context(), tt.text)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			var got []string
			for _, key := range keys {
				got = append(got, key.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" && err == nil {
				t.Error(diff)
			}
		})
	}
}

func TestTimelineOfALinkThatLeftTheFile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	h.File.Links = h.File.Links[1:]
	timeline, err := h.Timeline(t.Context(), call(1))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(timeline.Links, func(l admin.LinkTimeline) bool { return l.Link == "dynamic" })
	if i < 0 || timeline.Links[i].DeadLetter == nil || len(timeline.Links[i].Records) != 1 {
		t.Errorf("%+v", timeline.Links)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	for id := range 3 {
		h.publish(id + 1) // one after the other: their order is looked at
	}
	past := time.Now().AddDate(0, 0, -10)
	h.store(event.Event{Key: call(4), Origin: event.Backfill, Body: []byte("id=4"), Received: time.Now(), Time: past})
	stop := h.run("dynamic", always(queue.Decision{Outcome: event.Filtered}))
	h.wait("dynamic", event.Filtered, 1, 2, 3)
	stop()
	tests := []struct {
		name string
		by   admin.EventQuery
		want string
	}{
		{"all", admin.EventQuery{}, "1 2 3 4 "},
		{"the newest", admin.EventQuery{Limit: 1}, "4 "},
		{"an outcome of a link", admin.EventQuery{Link: "dynamic", Outcome: event.Filtered}, "1 2 3 "},
		{"an outcome of any link", admin.EventQuery{Outcome: event.Waiting}, "1 2 3 "},
		{"untaken", admin.EventQuery{Outcome: event.Untaken}, "4 "},
		{"since", admin.EventQuery{Since: time.Now().Add(-time.Hour)}, "1 2 3 "},
		{"until", admin.EventQuery{Until: time.Now().Add(-time.Hour)}, "4 "},
		{"another site", admin.EventQuery{Site: "10002"}, ""},
		{"what came", admin.EventQuery{About: func(e event.Event) bool { return e.Key.ID == "2" }}, "2 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, total, err := h.Events(t.Context(), tt.by)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, row := range rows {
				got += row.Event.Key.ID + " "
			}
			if got != tt.want || total < len(rows) {
				t.Errorf("got %s of %d, want %s", got, total, tt.want)
			}
		})
	}
	if _, _, err := h.Events(t.Context(), admin.EventQuery{Link: "nope"}); !errors.Is(err, admin.ErrNoLink) {
		t.Errorf("an unknown link: %v", err)
	}
}

func TestFollowTellsOfEventsAndOfWhatBecomesOfThem(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1) // before: not told of
	ctx, cancel := context.WithCancel(t.Context())
	rows := make(chan admin.Row, 100)
	done := make(chan error, 1)
	go func() {
		done <- h.Follow(ctx, admin.EventQuery{Link: "dynamic"}, func(r admin.Row) error { rows <- r; return nil })
	}()
	id, seen := 1, admin.Row{}
	h.until("a new event is told of", func() bool {
		id++
		h.publish(id)
		select {
		case seen = <-rows:
			return true
		case <-time.After(200 * time.Millisecond):
			return false
		}
	})
	if seen.Event.Key == call(1) || seen.Outcomes["dynamic"] != event.Waiting {
		t.Errorf("first: %+v", seen)
	}
	h.run("dynamic", always(queue.Decision{Outcome: event.Delivered}))
	h.until("its outcome is told of", func() bool { return (<-rows).Outcomes["dynamic"] == event.Delivered })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCancelledRetriesAreDeadAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1, 2)
	h.run("dynamic", func(d *queue.Delivery) queue.Decision {
		if d.Replayed {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Reason: "server_error", Status: 500, Attempts: 1}
	})
	h.until("both wait", func() bool {
		_, total, err := h.Retries(t.Context(), queue.Filter{Status: 500}, 0)
		return err == nil && total == 2
	})
	if n, err := h.Cancel(t.Context(), queue.Filter{Key: call(1)}, ""); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if got := h.outcome(call(1), "dynamic"); got != event.Dead {
		t.Errorf("cancelled: %s", got)
	}
	if n, err := h.RunNow(t.Context(), queue.Filter{Link: "dynamic"}); n != 1 || err != nil {
		t.Errorf("run now: %d, %v", n, err)
	}
	h.replay(admin.Selection{Filter: queue.Filter{Reason: admin.ReasonCancelled}}, admin.ReplayOptions{})
	h.wait("dynamic", event.Delivered, 1)
}

// What is cancelled goes from RETRIES last: where its record cannot be written it waits still, and the same command ends it.
func TestACancellationThatIsBrokenOffIsRepeated(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1)
	stop := h.run("dynamic", always(queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Reason: "server_error", Attempts: 1}))
	h.until("it waits", func() bool { return len(queuetest.Retries(t, h.Queue, queue.Filter{})) == 1 })
	stop()
	queuetest.MaxMsgSize(t, h.server, "TOUCHBOX_HISTORY", 10)
	if _, err := h.Cancel(t.Context(), queue.Filter{}, ""); err == nil {
		t.Error("cancelled without a record")
	}
	if got := h.outcome(call(1), "dynamic"); got != event.Waiting || len(queuetest.Retries(t, h.Queue, queue.Filter{})) != 1 {
		t.Errorf("it is %s, and waits no more", got)
	}
	queuetest.MaxMsgSize(t, h.server, "TOUCHBOX_HISTORY", -1)
	if n, err := h.Cancel(t.Context(), queue.Filter{}, ""); n != 1 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	if got := h.outcome(call(1), "dynamic"); got != event.Dead || len(queuetest.Retries(t, h.Queue, queue.Filter{})) != 0 {
		t.Errorf("after it, it is %s", got)
	}
}

func TestDropKeepsWhy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2)
	if n, err := h.Drop(t.Context(), admin.Selection{Keys: []event.Key{call(1)}}, "a test call"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	counts, err := h.CountDead(t.Context(), queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]admin.DeadCount{{Link: "dynamic", Reason: "refused", Status: 400, Count: 1}}, counts); diff != "" {
		t.Error(diff)
	}
	timeline, err := h.Timeline(t.Context(), call(1))
	if err != nil {
		t.Fatal(err)
	}
	records := timeline.Links[0].Records
	last := records[len(records)-1]
	if last.Note != admin.NoteDropped || string(last.Detail) != `{"why":"a test call"}` || timeline.Links[0].Outcome != event.Dropped {
		t.Errorf("%+v", last)
	}
}

func TestTakeStoresAnotherCallUnderItsOwnKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.publish(1)
	later := time.Now().Add(time.Hour)
	for _, one := range []struct{ reason, body string }{
		{"collision", "id=1&callerphone=79990000002"}, {"collision", "id=1&callerphone=79990000003"}, {"no_id", "callerphone=79990000004"},
	} {
		err := h.Queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: one.reason, Origin: event.Webhook, Body: []byte(one.body), Received: later})
		if err != nil {
			t.Fatal(err)
		}
		later = later.Add(time.Hour)
	}
	identify := func(a queue.Aside) (event.Event, error) {
		if a.Reason == "no_id" {
			return event.Event{}, errors.New("no_id")
		}
		e := event.Event{Key: call(1), Origin: a.Origin, Body: a.Body, Received: a.Received, Time: a.Received}
		e.Fingerprint = fingerprint(e)
		return e, nil
	}
	got, err := h.Take(t.Context(), admin.AsideQuery{}, identify)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(admin.Taken{Stored: 2, Refused: 1, Reasons: map[string]int{"no_id": 1}}, got); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"1~2", "1~3"} {
		if _, err := h.Queue.GetEvent(t.Context(), event.Key{Site: "10001", Kind: event.CallEnded, ID: id}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if list, total, err := h.Asides(t.Context(), admin.AsideQuery{}, 0); err != nil || total != 1 || list[0].Reason != "no_id" {
		t.Errorf("left: %+v, %v", list, err)
	}
}

// What the log can never take is left, by its reason, and does not keep the others.
func TestTakeGoesOnBehindWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	long := call(1)
	long.ID = strings.Repeat("1", event.MaxID)
	h.store(event.Event{Key: long, Origin: event.Webhook, Body: []byte("callerphone=79160000001"), Received: time.Now()})
	for i, query := range []string{strings.Repeat("q", 60<<10), "long", ""} {
		err := h.Queue.PutAside(t.Context(), queue.Aside{
			Site: "10001", Reason: "no_id", Origin: event.Webhook, Query: query, Body: []byte("callerphone=79990000002"), Received: time.Now().Add(time.Duration(i+1) * time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	identify := func(a queue.Aside) (event.Event, error) {
		e := event.Event{Key: call(2), Origin: a.Origin, Query: a.Query, Body: a.Body, Received: a.Received}
		if a.Query == "long" {
			e.Key = long
		}
		e.Fingerprint = fingerprint(e)
		return e, nil
	}
	got, err := h.Take(t.Context(), admin.AsideQuery{}, identify)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(admin.Taken{Stored: 1, Refused: 2, Reasons: map[string]int{"too_large": 1, "bad_id": 1}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	if err := h.Stop(t.Context(), "dynamic", ""); err != nil {
		t.Fatal(err)
	}
	h.run("other", always(queue.Decision{Outcome: event.Delivered}))
	h.wait("other", event.Delivered, 1)
	if _, err := h.Queue.PutPark(t.Context(), queue.Park{Scope: "link/other", Reason: "not_found"}); err != nil {
		t.Fatal(err)
	}
	list, _, err := h.LinksWithOutcomes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]admin.LinkStatus{}
	for _, l := range list {
		byID[l.ID] = l
	}
	if l := byID["dynamic"]; l.State != admin.StateStopped || l.DeadLetters != 1 || l.Outcomes.Dead != 1 || l.Success != nil {
		t.Errorf("dynamic: %+v", l)
	}
	if l := byID["other"]; l.State != admin.StateParked || l.Why != "not_found" || l.Outcomes.Delivered != 1 || l.Success == nil {
		t.Errorf("other: %+v", l)
	}
	h.File.Links = h.File.Links[1:]
	if list, err = h.Links(t.Context()); err != nil || len(list) != 2 || list[0].State != admin.StateGone {
		t.Errorf("gone: %+v, %v", list, err)
	}
	for _, do := range []func(context.Context, string) error{func(ctx context.Context, id string) error { return h.Stop(ctx, id, "") }, func(ctx context.Context, id string) error { return h.Start(ctx, id, "") }} {
		if err := do(t.Context(), "nope"); !errors.Is(err, admin.ErrNoLink) {
			t.Errorf("an unknown link: %v", err)
		}
	}
}
