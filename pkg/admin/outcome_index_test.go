package admin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
)

// countedAlike holds the kept counts to those that one reading of HISTORY and the log gives.
func (h *house) countedAlike(after string) {
	h.t.Helper()
	want, success, err := h.CountWhole(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	links, sources, err := h.LinksWithOutcomes(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	events := 0
	for _, err := range h.Queue.Events(h.t.Context(), queue.ScanOptions{}) {
		if err != nil {
			h.t.Fatal(err)
		}
		events++
	}
	if sources[0].Events != events {
		h.t.Errorf("after %s: %d events of the site, want %d", after, sources[0].Events, events)
	}
	for _, l := range links {
		if diff := cmp.Diff(want[l.ID], *l.Outcomes); diff != "" {
			h.t.Errorf("after %s, link %s: %s", after, l.ID, diff)
		}
		if at, ok := success[l.ID]; ok && (l.Success == nil || !l.Success.Equal(at)) {
			h.t.Errorf("after %s, link %s: last success %v, want %v", after, l.ID, l.Success, at)
		}
	}
}

func (h *house) keepCounts() {
	h.t.Helper()
	if err := h.KeepOnce(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func TestCountsThatAreKeptAreThoseOfTheHistory(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			h := newHouse(t)
			h.register()
			next := 0
			steps := map[string]func(){
				"new events": func() {
					for range 5 {
						next++
						h.publish(next)
					}
				},
				"a backfill": func() {
					next++
					h.store(event.Event{Key: call(next), Origin: event.Backfill, Body: []byte("id=" + fmt.Sprint(next)), Received: time.Now(), Time: time.Now().AddDate(0, 0, -3)})
				},
				"work": func() { h.workOff(random) },
				"a replay": func() {
					items, err := h.Select(t.Context(), admin.Selection{})
					if err == nil && len(items) > 0 {
						_, err = h.Replay(t.Context(), items[:1+len(items)/2], admin.ReplayOptions{})
					}
					if err != nil {
						t.Fatal(err)
					}
				},
				"an erasure": func() {
					one := fmt.Sprintf("7916%07d", 1+random.IntN(max(1, next)))
					if _, err := h.Erase(t.Context(), erase.Whom{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte(one)) }}); err != nil {
						t.Fatal(err)
					}
				},
				"a cancellation": func() {
					if _, err := h.Cancel(t.Context(), queue.Filter{Link: "dynamic"}, ""); err != nil {
						t.Fatal(err)
					}
				},
				"a purge": func() {
					first, end, err := h.Queue.Span(t.Context(), time.Time{})
					if err == nil {
						err = h.Queue.Client().Purge(t.Context(), event.EventsStream, first+(end-first)/5)
					}
					if err != nil {
						t.Fatal(err)
					}
				},
			}
			names := []string{"new events", "work", "a backfill", "a replay", "an erasure", "a cancellation", "a purge"}
			for n := range 30 {
				name := names[random.IntN(len(names))]
				if n < 3 {
					name = names[n]
				}
				steps[name]()
				if random.IntN(2) == 0 {
					h.keepCounts()
				}
				h.countedAlike(name)
			}
		})
	}
}

// workOff handles what is unread and due with outcomes of all kinds.
func (h *house) workOff(random *rand.Rand) {
	h.t.Helper()
	outcomes := []queue.Decision{
		{Outcome: event.Delivered, Attempts: 1}, {Outcome: event.Filtered}, {Outcome: event.Undeliverable}, {Outcome: event.Shadow}, refused,
		{Outcome: event.Waiting, Attempts: 1, Reason: "server_error", Until: time.Now().Add(time.Hour)},
		{Outcome: event.Waiting, Attempts: 1, Reason: "server_error"},
	}
	salt := random.IntN(100)
	stop := h.run("dynamic", func(d *queue.Delivery) queue.Decision {
		n := salt
		for _, c := range d.Event.Key.ID {
			n += int(c)
		}
		decision := outcomes[(n+d.Attempts)%len(outcomes)]
		if d.Attempts > 2 {
			return outcomes[0]
		}
		decision.Attempts += d.Attempts
		return decision
	})
	h.until("nothing is unread", func() bool {
		stats, err := h.Queue.LinkStats(h.t.Context(), "dynamic")
		return err == nil && stats.Unread == 0 && stats.InHand == 0
	})
	stop()
}

func TestCountsBeginAnewWithOtherLinks(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2, 3)
	h.store(event.Event{Key: call(9), Origin: event.Journal, Body: []byte("id=9"), Received: time.Now(), Time: time.Now().AddDate(0, 0, -3)}) // untaken so far
	h.keepCounts()
	h.countedAlike("the first reading")
	h.File = linktest.File{Site: "timezone: Europe/Moscow", Links: []linktest.Link{
		{ID: "dynamic", Event: "[call.ended, request]", More: "since: 2020-01-01T00:00:00Z\nwhen: duration > 5"}, {ID: "other", Event: "[call.ended, request]"},
	}}.Parse(t)
	if _, err := h.Reset(t.Context(), "dynamic", queue.Watching{}); err != nil {
		t.Fatal(err)
	}
	h.countedAlike("a reset, before the worker has seen it")
	h.keepCounts()
	h.countedAlike("a reset")
	h.publish(4, 5)
	h.keepCounts()
	h.countedAlike("more events")
	h.File = linktest.File{Site: "timezone: Europe/Moscow", Links: []linktest.Link{{ID: "other", Event: "[call.ended, request]"}}}.Parse(t)
	if _, err := h.Remove(t.Context(), "dynamic", queue.Watching{}); err != nil {
		t.Fatal(err)
	}
	h.countedAlike("a removal")
	h.keepCounts()
	h.countedAlike("a removal that the worker has seen")
}

func TestAPartOfTheCountsThatIsKeptBeforeItIsSaidHowFarChangesNothing(t *testing.T) {
	h := newHouse(t)
	h.register()
	h.publish(1, 2)
	h.keepCounts()
	var mark json.RawMessage
	if _, err := h.Queue.State().Get(t.Context(), event.CountedKey, &mark); err != nil {
		t.Fatal(err)
	}
	h.publish(3)
	stop := h.run("dynamic", always(queue.Decision{Outcome: event.Delivered, Attempts: 1}))
	h.wait("dynamic", event.Delivered, 1, 2, 3)
	stop()
	h.keepCounts()
	if _, err := h.Queue.State().Put(t.Context(), event.CountedKey, mark); err != nil { // as if the process had died here
		t.Fatal(err)
	}
	h.countedAlike("a crash")
	h.keepCounts()
	h.countedAlike("the repeat")
}

func TestKeptCountsOfAnotherStoreCountForNone(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2, 3)
	h.keepCounts()
	var mark map[string]any
	if _, err := h.Queue.State().Get(t.Context(), event.CountedKey, &mark); err != nil {
		t.Fatal(err)
	}
	for name, history := range map[string]map[string]any{
		"a history that is shorter than what was read": {"sequence": 1000},
		"a history of another time":                    {"sequence": 3, "time": time.Now().Add(-time.Hour)},
	} {
		mark["history"], mark["success"] = history, map[string]any{}
		if _, err := h.Queue.State().Put(t.Context(), event.CountedKey, mark); err != nil {
			t.Fatal(err)
		}
		h.publish(len(name)) // one more
		h.countedAlike(name)
		h.keepCounts()
		h.countedAlike(name + ", kept anew")
	}
}

func TestKeptCountsThatCannotBeReadAreCountedAnew(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2, 3)
	for i, damage := range []struct {
		key   string
		value any
	}{
		{event.CountKeys.Of("0"), map[string]any{"rows": []string{"dynamic"}, "codes": []byte("?")}},
		{event.CountKeys.Of("0"), "by hand"},
		{event.CountedKey, "by hand"},
	} {
		h.keepCounts()
		if _, err := h.Queue.State().Put(t.Context(), damage.key, damage.value); err != nil {
			t.Fatal(err)
		}
		h.countedAlike("damage")
		h.publish(4 + i)
		if err := h.KeepOnce(t.Context()); err == nil {
			t.Errorf("%s: the damage goes unnoticed", damage.key)
		}
		h.keepCounts()
		h.countedAlike("the repair")
	}
}

func TestKeptCountsAreReadAndNotCountedAnew(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2, 3)
	h.keepCounts()
	read := uint64(0)
	told := h.Admin
	told.Scans = func(s admin.Scanned) { read += s.Total }
	list, _, err := told.LinksWithOutcomes(t.Context())
	if err != nil || list[0].Outcomes.Dead != 3 || read != 0 {
		t.Errorf("%+v after %d messages, %v", list[0].Outcomes, read, err)
	}
	h.publish(4)
	if list, _, err = told.LinksWithOutcomes(t.Context()); err != nil || list[0].Outcomes.Waiting != 1 || read != 1 {
		t.Errorf("%+v after %d messages, %v", list[0].Outcomes, read, err)
	}
}

// An old block of a long log is packed: what its events came to is known all the same.
func TestOutcomesOfAPackedBlockAreKnown(t *testing.T) {
	want := map[uint64]event.Outcome{5: event.Dead, 6: event.Delivered, 900: event.Dead}
	of, having, err := admin.PackedOutcomes("dynamic", want, event.Dead)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, of); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]uint64{900, 5}, having); diff != "" {
		t.Error(diff)
	}
}
