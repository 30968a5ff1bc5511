package queue_test

import (
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// Each crash repeats at most; nothing is lost, and no event waits twice.
func TestDeathAfterTheRetryBeforeTheAck(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	soon := queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(1500 * time.Millisecond), Attempts: 1, Reason: "timeout"}
	if err := queue.Die(t.Context(), l, false, queue.AfterPlace, soon); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return soon
	}}
	h.Consume(t, l)
	queuetest.Eventually(t, "the repeat", func() bool { return h.Outcomes()[event.Waiting] == 1 })
	if r := queuetest.Retries(t, q, queue.Filter{}); len(r) != 1 {
		t.Errorf("%d retries of one event wait", len(r))
	}
	queuetest.Eventually(t, "the retry", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	queuetest.Eventually(t, "nothing is left", func() bool { st := queuetest.Stats(t, q, "a"); return st.Waiting == 0 && st.InHand == 0 })
	if n := len(h.Deliveries()); n != 2 {
		t.Errorf("%d deliveries, want the repeat and the retry", n)
	}
}

func TestDeathAfterTheNextRetryBeforeTheAckOfTheDueOne(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	at := func(in time.Duration) queue.Decision {
		return queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(in), Attempts: 1, Reason: "timeout"}
	}
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision { return at(0) }}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "it waits", func() bool { return h.Outcomes()[event.Waiting] == 1 })
	stop()
	if err := queue.Die(t.Context(), l, true, queue.AfterPlace, at(2*time.Second)); err != nil {
		t.Fatal(err)
	}
	h = &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if time.Until(d.Event.Received) > -2*time.Second {
			return at(2 * time.Second)
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.Consume(t, l)
	queuetest.Eventually(t, "the repeat", func() bool { return h.Outcomes()[event.Waiting] == 1 })
	queuetest.Eventually(t, "one retry", func() bool { r := queuetest.Retries(t, q, queue.Filter{}); return len(r) == 1 && !r[0].Due })
	queuetest.Eventually(t, "the end", func() bool { return h.Outcomes()[event.Delivered] == 1 && queuetest.Stats(t, q, "a").Waiting == 0 })
}

func TestDeathAfterTheDeadLetterBeforeTheAck(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	if err := queue.Die(t.Context(), l, false, queue.AfterPlace, queue.Decision{Outcome: event.Dead, Reason: "refused"}); err != nil {
		t.Fatal(err)
	}
	if n := len(queuetest.DeadLetters(t, q, queue.Filter{})); n != 1 {
		t.Fatalf("%d dead letters", n)
	}
	h := &queuetest.Handler{} // mended meanwhile: it is delivered, and then it is not dead
	h.Consume(t, l)
	queuetest.Eventually(t, "the repeat", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	if n := len(queuetest.DeadLetters(t, q, queue.Filter{})); n != 0 {
		t.Errorf("%d dead letters of a delivered event", n)
	}
}

// Rule 4: also when the first retry is due by the time of the repeat, there is no second chain.
func TestDeathAfterTheRetryThatIsDueByNow(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	for _, until := range []time.Time{{}, time.Now().Add(time.Hour)} {
		x := queue.Decision{Outcome: event.Waiting, Until: until, Attempts: 1}
		if err := queue.Die(t.Context(), l, false, queue.AfterPlace, x); err != nil {
			t.Fatal(err)
		}
		queuetest.Eventually(t, "it is due, and nothing else waits", func() bool {
			r := queuetest.Retries(t, q, queue.Filter{})
			return len(r) == 1 && r[0].Due
		})
	}
}

// Rule 5: who dies twice has one dead letter, the second, also where there is no room for another
// (the server replaces in a full stream what is not shorter than its successor).
func TestDeathAfterTheDeadLetterAndDeathAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	if err := queue.Die(t.Context(), l, false, queue.AfterPlace, queue.Decision{Outcome: event.Dead, Reason: "refused"}); err != nil {
		t.Fatal(err)
	}
	if err := queue.Full(t.Context(), q, 100); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: "again"}
	}}
	h.Consume(t, l)
	queuetest.Eventually(t, "the second death", func() bool { return h.Outcomes()[event.Dead] == 1 })
	if d := queuetest.DeadLetters(t, q, queue.Filter{}); len(d) != 1 || d[0].Reason != "again" {
		t.Errorf("dead letters %+v", d)
	}
}

func TestSuccessTakesAlongTheRetryOfADeadProcess(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	late := queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Attempts: 1}
	if err := queue.Die(t.Context(), l, false, queue.AfterPlace, late); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{}
	h.Consume(t, l)
	queuetest.Eventually(t, "the repeat", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	queuetest.Eventually(t, "nothing waits", func() bool { return queuetest.Stats(t, q, "a").Waiting == 0 })
}

// Rule 10: what was settled is not handled again, whether the redelivery is marked or not.
func TestDeathAfterTheRecordBeforeTheAck(t *testing.T) {
	t.Parallel()
	for _, outcome := range []event.Outcome{event.Delivered, event.Filtered, event.Dead, event.Waiting} {
		t.Run(string(outcome), func(t *testing.T) {
			q := queuetest.New(t)
			l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
			queuetest.Publish(t, q, queuetest.Call(1))
			x := queue.Decision{Outcome: outcome, Until: time.Now().Add(time.Hour)}
			if err := queue.Die(t.Context(), l, false, queue.AfterRecord, x); err != nil {
				t.Fatal(err)
			}
			h := &queuetest.Handler{}
			h.Consume(t, l)
			queuetest.Eventually(t, "the ack", queuetest.SettledAll(t, q, "a"))
			if n := len(h.Deliveries()); n != 0 {
				t.Errorf("handled %d times more", n)
			}
			if len(queuetest.History(t, q, queuetest.Call(1))) != 1 {
				t.Error("recorded again")
			}
		})
	}
}

func TestForgottenAcksAreNotSentAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.Since = time.Now().Add(-time.Second)
	l := queuetest.OpenLink(t, q, spec)
	const n = 300
	for i := range n {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	h := &queuetest.Handler{}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "all delivered", func() bool { return h.Outcomes()[event.Delivered] == n })
	stop()
	if err := queue.Forget(t.Context(), q, "a"); err != nil {
		t.Fatal(err)
	}
	if st := queuetest.Stats(t, q, "a"); int(st.Unread)+int(st.InHand) != n { // a request that still waits there may have been given some
		t.Fatalf("the server has not forgotten: %+v", st)
	}
	again := &queuetest.Handler{}
	again.Consume(t, queuetest.OpenLink(t, q, spec))
	queuetest.Eventually(t, "all acknowledged", queuetest.SettledAll(t, q, "a"))
	if got := len(again.Deliveries()); got != 0 {
		t.Errorf("%d events were handled again", got)
	}
}

// While HISTORY has no room an event whose outcome is to be recorded stays in hand: it is not sent again
// and again.
func TestFullHistoryDoesNotSendAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.AckWait = 300 * time.Millisecond
	l := queuetest.OpenLink(t, q, spec)
	if err := queue.FillHistory(t.Context(), q, true); err != nil {
		t.Fatal(err)
	}
	queuetest.Publish(t, q, queuetest.Call(1))
	tries, err := queue.CountAsked(t.Context(), q, "touchbox.history.>")
	if err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{}
	h.Consume(t, l)
	queuetest.Eventually(t, "some tries to write the record", func() bool { return tries() > 3 })
	if err := queue.FillHistory(t.Context(), q, false); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "the outcome", queuetest.SettledAll(t, q, "a"))
	if n := len(h.Deliveries()); n != 1 || len(queuetest.History(t, q, queuetest.Call(1))) != 1 {
		t.Errorf("handled %d times, %d records", n, len(queuetest.History(t, q, queuetest.Call(1))))
	}
}

// A record that cannot be read says nothing, and stops neither its event nor those behind it.
func TestUnreadableRecordHoldsNothingUp(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.Handlers = 1
	l := queuetest.OpenLink(t, q, spec)
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Publish(t, q, queuetest.Call(2))
	if err := queue.RecordRaw(t.Context(), q, queuetest.Call(1).Key, []byte(`{"time":7}`)); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{}
	h.Consume(t, l)
	queuetest.Eventually(t, "both delivered", func() bool { return h.Outcomes()[event.Delivered] == 2 })
	if got := len(queuetest.History(t, q, queuetest.Call(1))); got != 1 {
		t.Errorf("%d records", got)
	}
}

// A replay follows a final outcome and is handled all the same: only what is younger counts.
func TestReplayIsNotTakenForAPhantom(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Replayed {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Dead, Reason: "refused"}
	}}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "dead", func() bool { return h.Outcomes()[event.Dead] == 1 })
	stop()
	if err := q.Replay(t.Context(), queuetest.DeadLetters(t, q, queue.Filter{})[0], queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a"))) // a start: the first messages are looked up
	queuetest.Eventually(t, "the replay", func() bool { return h.Outcomes()[event.Delivered] == 1 })
}

func TestDeletedConsumersAreMadeAnew(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	h := &queuetest.Handler{}
	h.Consume(t, l)
	for i := range 20 {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	queuetest.Eventually(t, "20", func() bool { return h.Outcomes()[event.Delivered] == 20 })
	queuetest.DeleteConsumers(t, q, "a")
	queuetest.Publish(t, q, queuetest.Call(20))
	queuetest.Eventually(t, "21", func() bool { return h.Outcomes()[event.Delivered] == 21 })
	queuetest.Eventually(t, "all acknowledged", queuetest.SettledAll(t, q, "a"))
	if n := len(h.Deliveries()); n != 21 {
		t.Errorf("%d deliveries of 21 events", n)
	}
}

func TestServerKilledInTraffic(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the server is killed")
	p := queuetest.Spawn(t)
	q := p.Open(queue.Options{})
	spec := queuetest.Calls("a")
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		time.Sleep(2 * time.Millisecond)
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, spec))
	const n, kills = 300, 2
	for i := range n {
		if i%(n/(kills+1)) == n/(kills+1)-1 && i < n-1 {
			p.Kill()
			p.Start()
		}
		queuetest.Eventually(t, "stored", func() bool { _, err := q.Publish(t.Context(), queuetest.Call(i)); return err == nil })
	}
	queuetest.Eventually(t, "all settled", func() bool { st := queuetest.Stats(t, q, "a"); return st.Unread == 0 && st.InHand == 0 })
	seen := map[string]int{}
	for _, d := range h.Deliveries() {
		seen[d.Event.Key.String()]++
	}
	if len(seen) != n {
		t.Errorf("%d of %d events were delivered", len(seen), n)
	}
	if again := len(h.Deliveries()) - n; again > kills*spec.Handlers {
		t.Errorf("%d events were handled again, more than were in hand", again)
	}
}
