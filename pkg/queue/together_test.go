package queue_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// What is decided without waiting needs no handler: it is settled though all of them wait for a far end that hangs.
func TestWhatIsFilteredWaitsForNoHandler(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	hang := make(chan struct{})
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Begun == nil { // the first ones behind a start are looked up
			return queue.Decision{Outcome: event.Filtered}
		}
		<-hang
		return queue.Decision{Outcome: event.Delivered}
	}}
	spec := queuetest.Calls("a")
	spec.Handlers = 1
	h.ConsumeBy(t, queuetest.OpenLink(t, q, spec), queue.Consumption{Begin: func(_ context.Context, d *queue.Delivery) (queue.Decision, bool) {
		if id := d.Event.Key.ID; id == "1" || id == "11" {
			d.Begun = "begun"
			return queue.Decision{}, false
		}
		return queue.Decision{Outcome: event.Filtered, Reason: "condition"}, true
	}})
	queuetest.PublishCalls(t, q, 1000, 1080)
	queuetest.Eventually(t, "the first ones are filtered", func() bool { return h.Outcomes()[event.Filtered] == 80 })
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(11))
	queuetest.PublishCalls(t, q, 12, 21)
	queuetest.Eventually(t, "the others are filtered", func() bool { return h.Outcomes()[event.Filtered] == 89 })
	if r := queuetest.History(t, q, queuetest.Call(20)); len(r) != 1 || r[0].Outcome != event.Filtered || r[0].Source != queue.FromEvents || r[0].Sequence == 0 {
		t.Errorf("recorded %+v", r)
	}
	close(hang)
	queuetest.Eventually(t, "the rest is delivered", func() bool { return h.Outcomes()[event.Delivered] == 2 })
	queuetest.Eventually(t, "nothing is in hand", queuetest.SettledAll(t, q, "a"))
}

// A panic before the handler is one of the event's, too.
func TestPanicInBeginBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	h := &queuetest.Handler{}
	h.ConsumeBy(t, queuetest.OpenLink(t, q, queuetest.Calls("a")), queue.Consumption{Begin: func(_ context.Context, d *queue.Delivery) (queue.Decision, bool) {
		if d.Event.Key.ID == "77" {
			panic("79001234567")
		}
		return queue.Decision{}, false
	}})
	queuetest.PublishCalls(t, q, 0, 80)
	queuetest.Eventually(t, "all settled", func() bool { o := h.Outcomes(); return o[event.Dead] == 1 && o[event.Delivered] == 79 })
}

// Outcomes of several links that come at once are recorded together, each on its own, and one that does not fit goes alone
// without its details.
func TestOutcomesAreRecordedTogether(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{})
	queuetest.MaxMsgSize(t, s, event.HistoryStream, 100_000)
	const calls = 400
	var settled atomic.Int64
	huge := strings.Repeat("x", 200_000)
	for _, id := range []string{"a", "b", "c"} {
		h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
			settled.Add(1)
			x := queue.Decision{Outcome: event.Delivered, Status: 200, Attempts: 1}
			if d.Event.Key.ID == "333" {
				x.Detail = map[string]string{"saw": huge}
			}
			return x
		}}
		h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls(id)))
	}
	queuetest.PublishCalls(t, q, 0, calls)
	for _, id := range []string{"a", "b", "c"} {
		queuetest.Eventually(t, "all settled by "+id, queuetest.SettledAll(t, q, id))
	}
	for i := range calls {
		of := map[string]int{}
		for _, r := range queuetest.History(t, q, queuetest.Call(i)) {
			of[r.Link]++
			if r.Outcome != event.Delivered || i == 333 && len(r.Detail) > 0 {
				t.Errorf("call %d: recorded as %s with %d bytes of details", i, r.Outcome, len(r.Detail))
			}
		}
		if of["a"] != 1 || of["b"] != 1 || of["c"] != 1 {
			t.Errorf("call %d: records %v", i, of)
		}
	}
	if settled.Load() != 3*calls {
		t.Errorf("handled %d times", settled.Load())
	}
}

// A record that cannot be written as JSON is left over; none of the others counts as stored for its sake.
func TestARecordThatIsNoJSONCostsTheOthersNothing(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	const calls, bad = 300, 77
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		x := queue.Decision{Outcome: event.Delivered, Attempts: 1}
		if d.Event.Key.ID == strconv.Itoa(bad) {
			x.First = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return x
	}}
	link := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- link.Consume(ctx, queue.Consumption{Handle: h.Handle, Settled: h.Settled, Finish: time.Millisecond})
	}()
	defer func() {
		cancel()
		<-done // with an error: one is still in hand
	}()
	queuetest.PublishCalls(t, q, 0, calls)
	queuetest.Eventually(t, "the others are settled", func() bool { return h.Outcomes()[event.Delivered] == calls-1 })
	for i := range calls {
		if n := len(queuetest.History(t, q, queuetest.Call(i))); n != 1 && i != bad || n > 0 && i == bad {
			t.Errorf("call %d: %d records", i, n)
		}
	}
	queuetest.Eventually(t, "one alone is in hand", func() bool { return queuetest.Stats(t, q, "a").InHand == 1 })
}
