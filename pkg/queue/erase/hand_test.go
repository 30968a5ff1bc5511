package erase_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// An event in hand can still be retried, die or be recorded after its tombstone was put: six of them,
// one half from EVENTS, the other from RETRIES.
func TestEraseWaitsForWhatIsInHand(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "longer than an AckWait and a publish")
	q := queuetest.New(t)
	outcomes := []event.Outcome{event.Waiting, event.Dead, event.Delivered}
	for id := range 6 {
		queuetest.Publish(t, q, theirs(id))
	}
	inHand, goOn := make(chan bool, 6), make(chan bool)
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		id := int(d.Event.Key.ID[0] - '0')
		if d.Retry != (id >= 3) {
			return queue.Decision{Outcome: event.Waiting, Attempts: 1}
		}
		inHand <- true
		<-goOn
		return queue.Decision{Outcome: outcomes[id%3], Attempts: 2}
	}}
	spec := queuetest.Calls("a")
	spec.Handlers = 8
	h.Consume(t, queuetest.OpenLink(t, q, spec))
	for range 6 {
		<-inHand
	}
	e := person
	var once sync.Once
	e.Progress = func(p erase.Progress) {
		if p.Step == erase.Wait {
			once.Do(func() { close(goOn) })
		}
	}
	if _, err := erase.Erase(t.Context(), q, e); err != nil {
		t.Fatal(err)
	}
	once.Do(func() { t.Error("it did not wait") })
	queuetest.Eventually(t, "nothing in hand", queuetest.SettledAll(t, q, "a"))
	left, err := erase.Find(t.Context(), q, person)
	if err != nil || !left.None() {
		t.Errorf("left: %+v, %v", left, err)
	}
	for id := range 6 {
		if r := queuetest.History(t, q, theirs(id)); len(r) != 1 || r[0].Outcome != event.Erased {
			t.Errorf("history of %d: %+v", id, r)
		}
	}
}

// What somebody publishes all the same, an older worker for one, is found by the next look. What is in
// hand for longer than an erasure waits is not stored when it comes back.
func TestEraseLooksAgain(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "longer than an AckWait and a publish")
	q := queuetest.New(t)
	queuetest.Publish(t, q, theirs(1), theirs(2), theirs(3))
	inHand, goOn := make(chan bool, 2), make(chan bool)
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if id := d.Event.Key.ID; id == "2" || id == "3" {
			inHand <- true
			<-goOn
		}
		if d.Event.Key.ID == "3" {
			return queue.Decision{Outcome: event.Delivered, Attempts: 1}
		}
		return queue.Decision{Outcome: event.Dead, Attempts: 1}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	<-inHand
	<-inHand
	queuetest.Eventually(t, "one is dead", func() bool { return len(queuetest.DeadLetters(t, q, queue.Filter{})) == 1 })
	letter := queuetest.DeadLetters(t, q, queue.Filter{})[0]
	e := person
	var once sync.Once
	e.Progress = func(p erase.Progress) {
		if p.Step == erase.Wait {
			once.Do(func() {
				if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
					t.Error(err)
				}
				letter.Sequence = 0 // the first half of a replay
				if err := q.Replay(t.Context(), letter, queue.ReplayOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	gone, err := erase.Erase(t.Context(), q, e)
	if err != nil || gone.Retries != 1 {
		t.Errorf("erased %+v, %v", gone, err)
	}
	close(goOn)
	if err := q.ResumeLink(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	queuetest.Publish(t, q, queuetest.Call(4))
	queuetest.Eventually(t, "life goes on", func() bool { return h.Outcomes()[event.Dead] == 2 })
	if left, err := erase.Find(t.Context(), q, person); err != nil || !left.None() {
		t.Errorf("left: %+v, %v", left, err)
	}
	if r := queuetest.History(t, q, theirs(3)); len(r) != 1 || r[0].Outcome != event.Erased {
		t.Errorf("history %+v", r)
	}
}

func TestEraseGoesOnAfterACrashAtAnyLine(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	const people = 16
	phone := func(n int) string { return fmt.Sprintf("7916%07d", n) }
	for n := range people {
		for i := range 3 {
			e := queuetest.Call(10*n + 1 + i)
			e.Body = append(e.Body, phone(n)...)
			queuetest.Publish(t, q, e)
		}
		if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Body: []byte(phone(n)), Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	h := &queuetest.Handler{Decide: byLastDigit}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "all are settled", func() bool {
		return h.Outcomes()[event.Delivered] == people && h.Outcomes()[event.Dead] == people && h.Outcomes()[event.Waiting] == 4*people
	})
	stop()
	queuetest.DeleteConsumers(t, q, "a") // so that nothing can be in hand
	died, at := 0, 1
	for n := range people {
		at += at/2 + 1
		one := erase.Whom{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte(phone(n))) }}
		_, err := erase.Erase(queuetest.DieAt(t, q, at), q, one)
		if err != nil {
			died++
		}
		if _, err := erase.Erase(t.Context(), q, one); err != nil {
			t.Fatal(err)
		}
		if left, err := erase.Find(t.Context(), q, one); err != nil || !left.None() {
			t.Fatalf("died at %d: left %+v, %v", at, left, err)
		}
		for i := range 3 {
			e := queuetest.Call(10*n + 1 + i)
			if r := queuetest.History(t, q, e); len(r) != 1 || r[0].Outcome != event.Erased {
				t.Fatalf("died at %d: history of an erased call %+v", at, r)
			}
			if got, err := q.Publish(t.Context(), e); got != event.ReceiptErased || err != nil {
				t.Fatalf("died at %d: again: %v, %v", at, got, err)
			}
		}
	}
	if died < people/2 || died == people {
		t.Errorf("it died %d times of %d", died, people)
	}
	if left, err := q.State().List(t.Context(), "erasing."); err != nil || len(left) != 0 {
		t.Errorf("STATE still has %v, %v", left, err)
	}
}
