package admin_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// idsOf are the ids of the events of items, in their order.
func idsOf(items []admin.Item) []string {
	ids := []string{}
	for _, item := range items {
		ids = append(ids, item.Key.ID)
	}
	return ids
}

// Events that have not died are selected by the reason and the status of their newest record.
func TestEventsOfAnOutcomeAreSelectedByReasonAndStatus(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1, 2, 3)
	decisions := map[string]queue.Decision{
		"1": {Outcome: event.Undeliverable, Reason: "missing"}, "2": {Outcome: event.Undeliverable, Reason: "other"},
		"3": {Outcome: event.Undeliverable, Reason: "missing", Status: 400},
	}
	stop := h.run("dynamic", func(d *queue.Delivery) queue.Decision { return decisions[d.Event.Key.ID] })
	h.wait("dynamic", event.Undeliverable, 1, 2, 3)
	stop()
	for _, tt := range []struct {
		by   queue.Filter
		want []string
	}{
		{queue.Filter{Reason: "missing"}, []string{"1", "3"}}, {queue.Filter{Reason: "other"}, []string{"2"}}, {queue.Filter{Status: 400}, []string{"3"}},
		{queue.Filter{Reason: "other", Status: 400}, []string{}},
	} {
		tt.by.Link = "dynamic"
		got := idsOf(h.selected(admin.Selection{Outcome: event.Undeliverable, Filter: tt.by}))
		if slices.Sort(got); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.by, got, tt.want)
		}
	}
}

// What has come to its outcome, or died, after a job was asked for is not the job's, nor what died behind the span that was asked for.
func TestAJobOfAnOutcomeTakesWhatHadItWhenItWasAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1)
	stop := h.run("dynamic", always(queue.Decision{Outcome: event.Filtered}))
	h.wait("dynamic", event.Filtered, 1)
	stop()
	h.publish(2) // it was there, and had no outcome yet
	id := h.ask(admin.JobReplay, admin.Work{Outcome: event.Filtered, Link: "dynamic"}, "")
	stop = h.run("dynamic", always(queue.Decision{Outcome: event.Filtered}))
	h.wait("dynamic", event.Filtered, 2)
	stop()
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.Changed != 1 || len(queuetest.Retries(t, h.Queue, queue.Filter{Key: call(2)})) != 0 {
		t.Errorf("%+v", j)
	}
}

func TestAJobKeepsTheSpanThatWasAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	id := h.ask(admin.JobDrop, admin.Work{Until: time.Now().Add(-time.Hour)}, "test calls")
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.State != admin.JobDone || j.Found != 0 || len(queuetest.DeadLetters(t, h.Queue, queue.Filter{})) != 1 {
		t.Errorf("what died behind the span was dropped: %+v", j)
	}
}

// A dead letter that has been replayed and has died again since it was selected is another one.
func TestReplayLeavesWhatHasDiedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	items := h.selected(admin.Selection{})
	h.replay(admin.Selection{}, admin.ReplayOptions{})
	again := refused
	again.Reason = "again"
	stop := h.run("dynamic", always(again))
	h.until("it has died again", func() bool { return len(queuetest.DeadLetters(t, h.Queue, queue.Filter{Reason: "again"})) == 1 })
	stop()
	result, err := h.Replay(t.Context(), items, admin.ReplayOptions{})
	if diff := cmp.Diff(admin.Result{Vanished: 1}, result); diff != "" || err != nil {
		t.Errorf("%s, %v", diff, err)
	}
}

// What a delivery was sent as binds no later one; what an event was called on its way goes with it.
func TestReplayOfWhatHadNotDiedKeepsItsNames(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1, 2)
	pin := &event.Pin{Endpoint: "clinic.Then", Operation: "Then"}
	for id, r := range map[int]queue.Record{
		1: {Outcome: event.Delivered, TransactionID: "T", Trail: event.Trail{Pin: pin}},
		2: {Outcome: event.Filtered, Trail: event.Trail{Revision: "with-email", As: "old"}},
	} {
		r.Link = "dynamic"
		if err := h.Queue.Note(t.Context(), call(id), r); err != nil {
			t.Fatal(err)
		}
	}
	p, err := h.Preview(t.Context(), admin.Item{Link: "dynamic", Key: call(1), Outcome: event.Delivered}, admin.ReplayOptions{Revision: "r"}, false)
	if err != nil || p.Pin != nil {
		t.Errorf("a delivery binds: %+v, %v", p.Pin, err)
	}
	if _, err := h.Replay(t.Context(), []admin.Item{{Link: "dynamic", Key: call(2), Outcome: event.Filtered}}, admin.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	if list := queuetest.Retries(t, h.Queue, queue.Filter{}); len(list) != 1 || list[0].Revision != "with-email" || list[0].As != "old" {
		t.Errorf("%+v", list)
	}
}

// The Board selects by cause as a reading of the stream does.
func TestTheBoardSelectsDeadLettersOfACause(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2)
	h.publish(3)
	other := refused
	other.Answer = "no such area"
	stop := h.run("dynamic", always(other))
	h.wait("dynamic", event.Dead, 3)
	stop()
	a := h.board()
	causes, err := a.Causes(t.Context(), admin.Filter{})
	if err != nil || len(causes) != 2 {
		t.Fatalf("%+v, %v", causes, err)
	}
	for _, c := range causes {
		s := admin.Selection{Cause: c.ID}
		got, err := a.Select(t.Context(), s)
		if diff := cmp.Diff(idsOf(h.selected(s)), idsOf(got)); diff != "" || err != nil || len(got) != c.Count {
			t.Errorf("%+v: %s, %v", c, diff, err)
		}
		hours, err := a.CauseHours(t.Context(), c.ID, 24)
		sum := 0
		for _, hour := range hours {
			sum += hour.Counts[event.Dead]
		}
		if err != nil || len(hours) != 24 || sum != c.Count || hours[23].Start.After(time.Now()) {
			t.Errorf("%+v: %d by the hour, %v", c, sum, err)
		}
		later := a
		later.Now = func() time.Time { return time.Now().Add(time.Hour) }
		if hours, err := later.CauseHours(t.Context(), c.ID, 1); err != nil || hours[0].Counts[event.Dead] != 0 {
			t.Errorf("%+v: what died in the hour before counts in %+v, %v", c, hours, err)
		}
	}
	if got, err := a.Select(t.Context(), admin.Selection{Keys: []event.Key{call(2)}}); err != nil || len(got) != 1 || got[0].Key != call(2) {
		t.Errorf("of one event: %+v, %v", got, err)
	}
	for link, want := range map[string]int{"dynamic": 3, "other": 0} {
		if got, err := a.Select(t.Context(), admin.Selection{Filter: admin.Filter{Link: link}}); err != nil || len(got) != want {
			t.Errorf("of %s: %d, %v", link, len(got), err)
		}
	}
}
