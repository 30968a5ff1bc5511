package queue_test

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Many that come at once share syncs, and each has its own answer: one that is stored already, one key that
// comes twice, and one that is too large cost the others nothing.
func TestManyEventsAtOnce(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	before := queuetest.Open(t, s, queue.Options{})
	q := queuetest.Open(t, s, queue.Options{})
	for i := range 120 { // what a write costs is learnt from the first hundred
		queuetest.Publish(t, q, queuetest.Call(1000+i))
	}
	queuetest.Publish(t, before, queuetest.Call(7), queuetest.Call(70))
	queuetest.MaxMsgSize(t, s, event.EventsStream, 100_000)
	var events []event.Event
	for i := range 200 {
		e := queuetest.Call(i)
		if i == 50 {
			e.Body = make([]byte, 200_000)
		}
		events = append(events, e)
	}
	again := queuetest.Call(150)
	again.Received = again.Received.Add(time.Second)
	events = append(events, again)
	var stored, repeated, tooLarge atomic.Int64
	var all sync.WaitGroup
	for _, e := range events {
		all.Go(func() {
			switch got, err := q.Publish(t.Context(), e); {
			case errors.Is(err, event.ErrTooLarge):
				tooLarge.Add(1)
			case err != nil:
				t.Error(err)
			case got == event.ReceiptStored:
				stored.Add(1)
			case got == event.ReceiptRepeated:
				repeated.Add(1)
			}
		})
	}
	all.Wait()
	if stored.Load() != 197 || repeated.Load() != 3 || tooLarge.Load() != 1 {
		t.Errorf("stored %d, repeated %d, too large %d", stored.Load(), repeated.Load(), tooLarge.Load())
	}
}

// A server that is killed in the midst of batches has all that it acknowledged, each once and whole.
func TestKillInTheMidstOfBatches(t *testing.T) {
	t.Parallel()
	server := queuetest.Spawn(t)
	q := server.Open(queue.Options{})
	const publishers = 64
	var next, kept atomic.Int64
	var acknowledged sync.Map
	var group errgroup.Group
	stop := make(chan struct{})
	for range publishers {
		group.Go(func() error {
			for {
				select {
				case <-stop:
					return nil
				default:
				}
				e := queuetest.Call(int(next.Add(1)))
				if got, err := q.Publish(t.Context(), e); err == nil && got == event.ReceiptStored {
					acknowledged.Store(e.Key, e.Body)
					kept.Add(1)
				}
			}
		})
	}
	for range 3 {
		before := kept.Load()
		queuetest.Eventually(t, "some more are stored", func() bool { return kept.Load() > before+600 })
		server.Kill()
		server.Start()
	}
	close(stop)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "the server is ready", func() bool { return q.Ready(t.Context()) == nil })
	seen := map[event.Key]bool{}
	inBatch := 0
	for e, err := range q.Events(t.Context(), queue.ScanOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if want, ok := acknowledged.Load(e.Key); seen[e.Key] || ok && !bytes.Equal(want.([]byte), e.Body) {
			t.Errorf("%s is there twice, or not as it came: %q", e.Key, e.Body)
		}
		if len(seen)%50 == 0 {
			if h, err := queue.Headers(t.Context(), q, e.Key); err == nil && len(h["Nats-Batch-Id"]) > 0 {
				inBatch++
			}
		}
		seen[e.Key] = true
	}
	acknowledged.Range(func(key, _ any) bool {
		if !seen[key.(event.Key)] {
			t.Errorf("%s was acknowledged and is lost", key)
		}
		return true
	})
	t.Logf("%d acknowledged, %d of %d looked at came in batches", kept.Load(), inBatch, (len(seen)+49)/50)
}
