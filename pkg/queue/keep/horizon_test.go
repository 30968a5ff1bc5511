package keep_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// What was purged does not come back, whoever fetches it; what was not, stays what it is.
func TestWhatWasPurgedStaysOut(t *testing.T) {
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{Fingerprint: func(e event.Event) event.Fingerprint { return event.Fingerprint{} }})
	queuetest.OpenLink(t, q, queuetest.Requests("rare"))
	queuetest.PublishCalls(t, q, 0, 3)
	old := time.Now().Add(-time.Hour)
	unread := queuetest.Request(100) // happened before what is purged, arrived after it
	unread.Origin, unread.Time = event.Poll, time.Now().Add(-30*time.Minute)
	queuetest.Publish(t, q, unread)
	retain(t, q)
	wantKept(t, q, []string{"100"})
	fresh := queuetest.Open(t, s, queue.Options{}) // another process: it remembers no keys
	for name, q := range map[string]*queue.Queue{"another process": fresh, "the same": q} {
		for _, origin := range []event.Origin{event.Poll, event.Journal, event.Backfill} {
			e := queuetest.Call(0)
			if name == "the same" {
				e = queuetest.Call(10) // the other is remembered as known
			}
			e.Origin, e.Time = origin, old
			if got, err := q.Publish(t.Context(), e); err != nil || got != event.ReceiptTooOld {
				t.Errorf("%s, %s: %v, %v", name, origin, got, err)
			}
		}
	}
	if got, err := fresh.Publish(t.Context(), unread); err != nil || got != event.ReceiptRepeated && got != event.ReceiptStored {
		t.Errorf("an old event that is still here: %v, %v", got, err)
	}
	wantKept(t, q, []string{"100"})
	journal := queuetest.Call(20)
	journal.Origin, journal.Time = event.Journal, time.Now().Add(time.Second)
	queuetest.Publish(t, fresh, journal)
	hook := queuetest.Call(21)
	hook.Time = old
	queuetest.Publish(t, fresh, hook)
}

// The horizon stands before anything is gone, and every publisher has heard of it.
func TestHorizonComesBeforeThePurge(t *testing.T) {
	q := queuetest.New(t)
	queuetest.PublishCalls(t, q, 0, 3)
	e := queuetest.Call(50)
	e.Origin, e.Time = event.Journal, time.Now().Add(-time.Hour)
	done := make(chan error, 1)
	go func() { done <- keep.Once(context.Background(), q, keep.Config{Now: later}) }()
	for id := 50; ; id++ {
		e := e
		e.Key = queuetest.Call(id).Key
		_, before := q.GetEvent(t.Context(), queuetest.Call(2).Key)
		got, err := q.Publish(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if errors.Is(before, queue.ErrNotFound) {
			if got != event.ReceiptTooOld {
				t.Errorf("the log was purged, and a record from before is %s", got)
			}
			break
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
