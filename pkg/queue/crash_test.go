package queue_test

import (
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Each crash repeats at most; nothing is lost, and no event waits twice.
func TestDeathAfterTheRetryBeforeTheAck(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := openLink(t, q, calls("a"))
	publish(t, q, call(1))
	soon := queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(1500 * time.Millisecond), Attempts: 1, Reason: "timeout"}
	if err := queue.Die(t.Context(), l, false, queue.AfterPlace, soon); err != nil {
		t.Fatal(err)
	}
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return soon
	}}
	h.consume(t, l)
	eventually(t, "the repeat", func() bool { return h.outcomes()[event.Waiting] == 1 })
	if r := retries(t, q, queue.Filter{}); len(r) != 1 {
		t.Errorf("%d retries of one event wait", len(r))
	}
	eventually(t, "the retry", func() bool { return h.outcomes()[event.Delivered] == 1 })
	eventually(t, "nothing is left", func() bool { st := stats(t, q, "a"); return st.Waiting == 0 && st.InHand == 0 })
	if n := len(h.deliveries()); n != 2 {
		t.Errorf("%d deliveries, want the repeat and the retry", n)
	}
}

func TestDeathAfterTheNextRetryBeforeTheAckOfTheDueOne(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := openLink(t, q, calls("a"))
	publish(t, q, call(1))
	at := func(in time.Duration) queue.Decision {
		return queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(in), Attempts: 1, Reason: "timeout"}
	}
	h := &handler{decide: func(*queue.Delivery) queue.Decision { return at(0) }}
	stop := h.consume(t, l)
	eventually(t, "it waits", func() bool { return h.outcomes()[event.Waiting] == 1 })
	stop()
	if err := queue.Die(t.Context(), l, true, queue.AfterPlace, at(2*time.Second)); err != nil {
		t.Fatal(err)
	}
	h = &handler{decide: func(d *queue.Delivery) queue.Decision {
		if time.Until(d.Event.Received) > -2*time.Second {
			return at(2 * time.Second)
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.consume(t, l)
	eventually(t, "the repeat", func() bool { return h.outcomes()[event.Waiting] == 1 })
	eventually(t, "one retry", func() bool { r := retries(t, q, queue.Filter{}); return len(r) == 1 && !r[0].Due })
	eventually(t, "the end", func() bool { return h.outcomes()[event.Delivered] == 1 && stats(t, q, "a").Waiting == 0 })
}

func TestDeathAfterTheDeadLetterBeforeTheAck(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := openLink(t, q, calls("a"))
	publish(t, q, call(1))
	if err := queue.Die(t.Context(), l, false, queue.AfterPlace, queue.Decision{Outcome: event.Dead, Reason: "refused"}); err != nil {
		t.Fatal(err)
	}
	if n := len(deadLetters(t, q, queue.Filter{})); n != 1 {
		t.Fatalf("%d dead letters", n)
	}
	h := &handler{} // mended meanwhile: it is delivered, and then it is not dead
	h.consume(t, l)
	eventually(t, "the repeat", func() bool { return h.outcomes()[event.Delivered] == 1 })
	if n := len(deadLetters(t, q, queue.Filter{})); n != 0 {
		t.Errorf("%d dead letters of a delivered event", n)
	}
}

// Rule 4: also when the first retry is due by the time of the repeat, there is no second chain.
func TestDeathAfterTheRetryThatIsDueByNow(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := openLink(t, q, calls("a"))
	publish(t, q, call(1))
	for _, until := range []time.Time{{}, time.Now().Add(time.Hour)} {
		x := queue.Decision{Outcome: event.Waiting, Until: until, Attempts: 1}
		if err := queue.Die(t.Context(), l, false, queue.AfterPlace, x); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is due, and nothing else waits", func() bool {
			r := retries(t, q, queue.Filter{})
			return len(r) == 1 && r[0].Due
		})
	}
}

// Rule 5: who dies twice has one dead letter, the second, also where there is no room for another
// (the server replaces in a full stream what is not shorter than its successor).
func TestDeathAfterTheDeadLetterAndDeathAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := openLink(t, q, calls("a"))
	publish(t, q, call(1))
	if err := queue.Die(t.Context(), l, false, queue.AfterPlace, queue.Decision{Outcome: event.Dead, Reason: "refused"}); err != nil {
		t.Fatal(err)
	}
	if err := queue.Full(t.Context(), q, 100); err != nil {
		t.Fatal(err)
	}
	h := &handler{decide: func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: "again"}
	}}
	h.consume(t, l)
	eventually(t, "the second death", func() bool { return h.outcomes()[event.Dead] == 1 })
	if d := deadLetters(t, q, queue.Filter{}); len(d) != 1 || d[0].Reason != "again" {
		t.Errorf("dead letters %+v", d)
	}
}

func TestSuccessTakesAlongTheRetryOfADeadProcess(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := openLink(t, q, calls("a"))
	publish(t, q, call(1))
	late := queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Attempts: 1}
	if err := queue.Die(t.Context(), l, false, queue.AfterPlace, late); err != nil {
		t.Fatal(err)
	}
	h := &handler{}
	h.consume(t, l)
	eventually(t, "the repeat", func() bool { return h.outcomes()[event.Delivered] == 1 })
	eventually(t, "nothing waits", func() bool { return stats(t, q, "a").Waiting == 0 })
}

// Rule 10: what was settled is not handled again, whether the redelivery is marked or not.
func TestDeathAfterTheRecordBeforeTheAck(t *testing.T) {
	t.Parallel()
	for _, outcome := range []event.Outcome{event.Delivered, event.Filtered, event.Dead, event.Waiting} {
		t.Run(string(outcome), func(t *testing.T) {
			q := queuetest.New(t)
			l := openLink(t, q, calls("a"))
			publish(t, q, call(1))
			x := queue.Decision{Outcome: outcome, Until: time.Now().Add(time.Hour)}
			if err := queue.Die(t.Context(), l, false, queue.AfterRecord, x); err != nil {
				t.Fatal(err)
			}
			h := &handler{}
			h.consume(t, l)
			eventually(t, "the ack", settledAll(t, q, "a"))
			if n := len(h.deliveries()); n != 0 {
				t.Errorf("handled %d times more", n)
			}
			if len(history(t, q, call(1))) != 1 {
				t.Error("recorded again")
			}
		})
	}
}

func TestForgottenAcksAreNotSentAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := calls("a")
	spec.Since = time.Now().Add(-time.Second)
	l := openLink(t, q, spec)
	const n = 300
	for i := range n {
		publish(t, q, call(i))
	}
	h := &handler{}
	stop := h.consume(t, l)
	eventually(t, "all delivered", func() bool { return h.outcomes()[event.Delivered] == n })
	stop()
	if err := queue.Forget(t.Context(), q, "a"); err != nil {
		t.Fatal(err)
	}
	if st := stats(t, q, "a"); st.Unread != n {
		t.Fatalf("the server has not forgotten: %+v", st)
	}
	again := &handler{}
	again.consume(t, openLink(t, q, spec))
	eventually(t, "all acknowledged", settledAll(t, q, "a"))
	if got := len(again.deliveries()); got != 0 {
		t.Errorf("%d events were handled again", got)
	}
}

// A replay follows a final outcome and is handled all the same: only what is younger counts.
func TestReplayIsNotTakenForAPhantom(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Replayed {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Dead, Reason: "refused"}
	}}
	stop := h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1))
	eventually(t, "dead", func() bool { return h.outcomes()[event.Dead] == 1 })
	stop()
	if err := q.Replay(t.Context(), deadLetters(t, q, queue.Filter{})[0], queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	h.consume(t, openLink(t, q, calls("a"))) // a start: the first messages are looked up
	eventually(t, "the replay", func() bool { return h.outcomes()[event.Delivered] == 1 })
}

func TestDeletedConsumersAreMadeAnew(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := openLink(t, q, calls("a"))
	h := &handler{}
	h.consume(t, l)
	for i := range 20 {
		publish(t, q, call(i))
	}
	eventually(t, "20", func() bool { return h.outcomes()[event.Delivered] == 20 })
	if err := queue.DeleteConsumers(t.Context(), q, "a"); err != nil {
		t.Fatal(err)
	}
	publish(t, q, call(20))
	eventually(t, "21", func() bool { return h.outcomes()[event.Delivered] == 21 })
	eventually(t, "all acknowledged", settledAll(t, q, "a"))
	if n := len(h.deliveries()); n != 21 {
		t.Errorf("%d deliveries of 21 events", n)
	}
}

func TestServerKilledInTraffic(t *testing.T) {
	t.Parallel()
	p := queuetest.Spawn(t)
	q := p.Open(queue.Options{})
	spec := calls("a")
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		time.Sleep(2 * time.Millisecond)
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.consume(t, openLink(t, q, spec))
	const n, kills = 300, 2
	for i := range n {
		if i%(n/(kills+1)) == n/(kills+1)-1 && i < n-1 {
			p.Kill()
			p.Start()
		}
		eventually(t, "stored", func() bool { _, err := q.Publish(t.Context(), call(i)); return err == nil })
	}
	eventually(t, "all settled", func() bool { st := stats(t, q, "a"); return st.Unread == 0 && st.InHand == 0 })
	seen := map[string]int{}
	for _, d := range h.deliveries() {
		seen[d.Event.Key.String()]++
	}
	if len(seen) != n {
		t.Errorf("%d of %d events were delivered", len(seen), n)
	}
	if again := len(h.deliveries()) - n; again > kills*spec.Workers {
		t.Errorf("%d events were handled again, more than were in hand", again)
	}
}
