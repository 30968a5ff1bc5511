package admin_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

func TestTallyCountsEachEventOnceByItsNewestOutcome(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1, 2, 3, 4, 5, 6)
	h.store(event.Event{
		Key: call(7), Origin: event.Backfill, Body: []byte("id=7"), Received: time.Now(), Time: time.Now().AddDate(0, 0, -20),
	})
	stop := h.run("dynamic", func(d *queue.Delivery) queue.Decision {
		switch d.Event.Key.ID {
		case "1":
			return queue.Decision{Outcome: event.Delivered}
		case "2":
			return queue.Decision{Outcome: event.Filtered}
		case "3":
			return queue.Decision{Outcome: event.Undeliverable}
		case "4":
			return refused
		case "5":
			if d.Attempts == 0 {
				return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now(), Reason: "server_error"}
			}
			return queue.Decision{Outcome: event.Delivered, Attempts: 2}
		}
		return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Hour), Reason: "server_error"}
	})
	h.wait("dynamic", event.Delivered, 1, 5)
	h.wait("dynamic", event.Dead, 4)
	h.until("call 6 waits in RETRIES", func() bool {
		list, _, err := h.Retries(t.Context(), queue.Filter{Link: "dynamic"}, 0)
		return err == nil && len(list) == 1
	})
	stop()
	got, err := admin.Tally(t.Context(), h.Queue, h.File)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]admin.Counts{
		"dynamic": {Taken: 6, Delivered: 2, Filtered: 1, Undeliverable: 1, Dead: 1, Waiting: 1, Untaken: 1},
		"other":   {Taken: 6, Waiting: 6, Untaken: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsReplayedWaits(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2)
	items, err := h.Select(t.Context(), admin.Selection{Keys: []event.Key{call(1)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Replay(t.Context(), items, admin.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	counts, err := admin.Tally(t.Context(), h.Queue, h.File)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(admin.Counts{Taken: 2, Waiting: 1, Dead: 1}, counts["dynamic"]); diff != "" {
		t.Error(diff)
	}
	if got := h.outcome(call(1), "dynamic"); got != event.Waiting {
		t.Errorf("the timeline says %s, want waiting", got)
	}
}

func TestTallyKnowsLinksThatLeftTheFile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	h.File.Links = h.File.Links[1:]
	counts, err := admin.Tally(t.Context(), h.Queue, h.File)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(admin.Counts{Taken: 1, Dead: 1}, counts["dynamic"]); diff != "" {
		t.Error(diff)
	}
}
