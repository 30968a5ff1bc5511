package queue_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// waitsFor is a decision of a failed attempt that Mindbox may have executed.
func waitsFor(in time.Duration) queue.Decision {
	return queue.Decision{
		Outcome: event.Waiting, Until: time.Now().Add(in), Attempts: 3, Reason: "timeout",
		Pin: &event.Pin{Endpoint: "clinic.Website", Operation: "CallTouch", Revision: "r1"},
	}
}

func lostRetries(t *testing.T, q *queue.Queue, f queue.Filter) []keep.LostRetry {
	t.Helper()
	lost, err := keep.LostRetries(t.Context(), q, f)
	if err != nil {
		t.Fatal(err)
	}
	return lost
}

func TestALostRetryIsFoundAndRestored(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3))
	dead := queuetest.Call(3).Key
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Event.Key == dead {
			return queue.Decision{Outcome: event.Dead, Reason: "refused"}
		}
		return waitsFor(time.Hour)
	}}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "all settled", queuetest.SettledAll(t, q, "a"))
	stop()
	if lost := lostRetries(t, q, queue.Filter{}); len(lost) != 0 {
		t.Fatalf("lost while they wait: %+v", lost)
	}
	before := queuetest.Retries(t, q, queue.Filter{})
	if err := queue.LoseRetry(t.Context(), q, before[0].Sequence); err != nil {
		t.Fatal(err)
	}
	lost := lostRetries(t, q, queue.Filter{})
	if len(lost) != 1 || lost[0].Key != before[0].Event.Key || lost[0].Link != "a" || lost[0].Purged {
		t.Fatalf("found %+v", lost)
	}
	if other := lostRetries(t, q, queue.Filter{Link: "b"}); len(other) != 0 {
		t.Errorf("found for another link: %+v", other)
	}
	told := map[string]int{}
	observe := keep.Observer{Lost: func(link string, events int) { told[link] = events }}
	if err := keep.Once(t.Context(), q, keep.Config{Observe: observe}); err != nil || told["a"] != 1 {
		t.Errorf("the night told %v, %v", told, err)
	}
	if err := keep.Restore(t.Context(), q, lost[0]); err != nil {
		t.Fatal(err)
	}
	if err := keep.Once(t.Context(), q, keep.Config{Observe: observe}); err != nil || told["a"] != 0 {
		t.Errorf("the next night told %v, %v", told, err)
	}
	if err := keep.Restore(t.Context(), q, lost[0]); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("restored twice: %v", err)
	}
	after := queuetest.Retries(t, q, queue.Filter{Key: lost[0].Key})
	if len(after) != 1 {
		t.Fatalf("%d retries", len(after))
	}
	got, want := after[0], before[0]
	if got.Attempts != 3 || !got.First.Equal(want.First) || cmp.Diff(want.Pin, got.Pin) != "" || !got.Until.Equal(want.Until) ||
		got.Due || got.Event.Sequence != want.Event.Sequence || !got.Event.Stored.Equal(want.Event.Stored) || string(got.Event.Body) != string(want.Event.Body) {
		t.Errorf("restored as %+v, was %+v", got, want)
	}
	if lost := lostRetries(t, q, queue.Filter{}); len(lost) != 0 {
		t.Errorf("lost after the restoring: %+v", lost)
	}
}

// A flipped bit costs the rest of a block of RETRIES, and the stream numbers anew from what is left:
// what is put back must reach its link, and not be taken for what a message of the same number was.
func TestARetryLostToAFlippedBitIsDelivered(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the server is damaged, killed and started again")
	server := queuetest.Spawn(t)
	q := server.Open(queue.Options{})
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Attempts == 0 {
			return queue.Decision{Outcome: event.Waiting, Attempts: 1, Reason: "timeout"}
		}
		return waitsFor(time.Hour)
	}}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "two attempts", func() bool { return h.Outcomes()[event.Waiting] == 2 })
	recorded := time.Now()
	stop()
	q.Close()
	server.Kill()
	flipBit(t, server.Dir, "TOUCHBOX_RETRIES")
	server.Start()
	q = server.Open(queue.Options{})
	l = queuetest.OpenLink(t, q, queuetest.Calls("a"))
	lost := lostRetries(t, q, queue.Filter{Link: "a"})
	if len(lost) != 1 {
		t.Fatalf("found %+v", lost)
	}
	time.Sleep(time.Until(recorded.Add(queue.AgeMargin + time.Millisecond))) // the records are older than what comes now
	if err := keep.Restore(t.Context(), q, lost[0]); err != nil {
		t.Fatal(err)
	}
	for _, r := range queuetest.Retries(t, q, queue.Filter{}) {
		if err := q.RunRetry(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	h = &queuetest.Handler{}
	h.Consume(t, l)
	queuetest.Eventually(t, "delivered", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	if d := h.Deliveries(); len(d) != 1 || d[0].Attempts != 3 {
		t.Errorf("delivered %+v", d)
	}
}

// flipBit damages the middle of the newest block of a stream of a server that does not run.
func flipBit(t *testing.T, dir, stream string) {
	t.Helper()
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "$G", "streams", stream, "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatalf("blocks of %s: %v, %v", stream, blocks, err)
	}
	path := blocks[len(blocks)-1]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data { // every record of it, whichever is live
		if i%50 == 49 {
			data[i] ^= 1
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.db", "sched.db"} {
		_ = os.Remove(filepath.Join(filepath.Dir(path), name))
	}
}

// What is on its way while the reckoning looks is not lost.
func TestNothingInHandIsCalledLost(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "it looks again and again")
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Attempts < 4 {
			return queue.Decision{Outcome: event.Waiting, Attempts: d.Attempts + 1, Reason: "timeout"}
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.Consume(t, l)
	const n = 60
	for i := range n {
		queuetest.Publish(t, q, queuetest.Call(i+1))
	}
	for h.Outcomes()[event.Delivered] < n {
		if lost := lostRetries(t, q, queue.Filter{}); len(lost) != 0 {
			t.Fatalf("called lost: %+v", lost)
		}
		time.Sleep(20 * time.Millisecond) // the server takes away the reader of each look with a delay, and has room for so many
	}
}

// A person who was erased, an event that was purged, and a dead letter of a cancelled retry.
func TestWhatIsNowhereForAReason(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2))
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision { return waitsFor(time.Hour) }}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "all settled", queuetest.SettledAll(t, q, "a"))
	stop()
	list := queuetest.Retries(t, q, queue.Filter{})
	queuetest.Cancel(t, q, queue.Filter{Key: list[0].Event.Key})
	if err := q.Note(t.Context(), list[0].Event.Key, queue.Record{Link: "a", Outcome: event.Waiting}); err != nil { // as where a version before died here
		t.Fatal(err)
	}
	if lost := lostRetries(t, q, queue.Filter{}); len(lost) != 0 {
		t.Errorf("a cancelled one is called lost: %+v", lost)
	}
	if err := queue.LoseRetry(t.Context(), q, list[1].Sequence); err != nil {
		t.Fatal(err)
	}
	if err := queue.PurgeEvents(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	lost := lostRetries(t, q, queue.Filter{})
	if len(lost) != 1 || !lost[0].Purged {
		t.Fatalf("found %+v", lost)
	}
	if err := keep.Restore(t.Context(), q, lost[0]); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("restored without its event: %v", err)
	}
	if lost := lostRetries(t, q, queue.Filter{}); len(lost) != 0 {
		t.Errorf("what cannot be restored is lost for ever: %+v", lost)
	}
	if r := queuetest.History(t, q, event.Event{Key: lost[0].Key}); r[len(r)-1].Outcome != event.Abandoned || r[len(r)-1].Reason != keep.ReasonLost {
		t.Errorf("its history ends with %+v", r[len(r)-1])
	}
}
