package queue_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// An event in hand can still be retried, die or be recorded after its tombstone was put: six of them,
// one half from EVENTS, the other from RETRIES.
func TestEraseWaitsForWhatIsInHand(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	outcomes := []event.Outcome{event.Waiting, event.Dead, event.Delivered}
	for id := range 6 {
		publish(t, q, theirs(id))
	}
	inHand, goOn := make(chan bool, 6), make(chan bool)
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		id := int(d.Event.Key.ID[0] - '0')
		if d.Retry != (id >= 3) {
			return queue.Decision{Outcome: event.Waiting, Attempts: 1}
		}
		inHand <- true
		<-goOn
		return queue.Decision{Outcome: outcomes[id%3], Attempts: 2}
	}}
	spec := calls("a")
	spec.Workers = 8
	h.consume(t, openLink(t, q, spec))
	for range 6 {
		<-inHand
	}
	e := person
	var once sync.Once
	e.Progress = func(p queue.ErasureProgress) {
		if p.Step == queue.EraseWait {
			once.Do(func() { close(goOn) })
		}
	}
	if _, err := q.Erase(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	once.Do(func() { t.Error("it did not wait") })
	eventually(t, "nothing in hand", settledAll(t, q, "a"))
	left, err := q.FindPerson(t.Context(), person)
	if err != nil || !left.None() {
		t.Errorf("left: %+v, %v", left, err)
	}
	for id := range 6 {
		if r := history(t, q, theirs(id)); len(r) != 1 || r[0].Outcome != event.Erased {
			t.Errorf("history of %d: %+v", id, r)
		}
	}
}

// What somebody publishes all the same, an older worker for one, is found by the next look. What is in
// hand for longer than an erasure waits is not stored when it comes back.
func TestEraseLooksAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	publish(t, q, theirs(1), theirs(2), theirs(3))
	inHand, goOn := make(chan bool, 2), make(chan bool)
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if id := d.Event.Key.ID; id == "2" || id == "3" {
			inHand <- true
			<-goOn
		}
		if d.Event.Key.ID == "3" {
			return queue.Decision{Outcome: event.Delivered, Attempts: 1}
		}
		return queue.Decision{Outcome: event.Dead, Attempts: 1}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	<-inHand
	<-inHand
	eventually(t, "one is dead", func() bool { return len(deadLetters(t, q, queue.Filter{})) == 1 })
	letter := deadLetters(t, q, queue.Filter{})[0]
	e := person
	var once sync.Once
	e.Progress = func(p queue.ErasureProgress) {
		if p.Step == queue.EraseWait {
			once.Do(func() {
				if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
					t.Error(err)
				}
				if err := queue.PublishReplay(t.Context(), q, letter); err != nil {
					t.Error(err)
				}
			})
		}
	}
	gone, err := q.Erase(t.Context(), e)
	if err != nil || gone.Retries != 1 {
		t.Errorf("erased %+v, %v", gone, err)
	}
	close(goOn)
	if err := q.ResumeLink(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	publish(t, q, call(4))
	eventually(t, "life goes on", func() bool { return h.outcomes()[event.Dead] == 2 })
	if left, err := q.FindPerson(t.Context(), person); err != nil || !left.None() {
		t.Errorf("left: %+v, %v", left, err)
	}
	if r := history(t, q, theirs(3)); len(r) != 1 || r[0].Outcome != event.Erased {
		t.Errorf("history %+v", r)
	}
}

// dieAt is a context that ends at the n-th thing that is asked of the server.
func dieAt(t testing.TB, q *queue.Queue, n int) context.Context {
	t.Helper()
	ctx, err := queue.DieAt(t.Context(), q, n)
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

func TestEraseGoesOnAfterACrashAtAnyLine(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	const people = 16
	phone := func(n int) string { return fmt.Sprintf("7916%07d", n) }
	for n := range people {
		for i := range 3 {
			e := call(10*n + 1 + i)
			e.Body = append(e.Body, phone(n)...)
			publish(t, q, e)
		}
		if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Body: []byte(phone(n)), Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	h := &handler{decide: byLastDigit}
	stop := h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "all are settled", func() bool {
		return h.outcomes()[event.Delivered] == people && h.outcomes()[event.Dead] == people && h.outcomes()[event.Waiting] == 4*people
	})
	stop()
	if err := queue.DeleteConsumers(t.Context(), q, "a"); err != nil { // so that nothing can be in hand
		t.Fatal(err)
	}
	died, at := 0, 1
	for n := range people {
		at += at/2 + 1
		one := queue.Erasure{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte(phone(n))) }}
		_, err := q.Erase(dieAt(t, q, at), one)
		if err != nil {
			died++
		}
		if _, err := q.Erase(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if left, err := q.FindPerson(t.Context(), one); err != nil || !left.None() {
			t.Fatalf("died at %d: left %+v, %v", at, left, err)
		}
		for i := range 3 {
			e := call(10*n + 1 + i)
			if r := history(t, q, e); len(r) != 1 || r[0].Outcome != event.Erased {
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
