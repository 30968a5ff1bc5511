package queue_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// body is as long as a hook with a session's advertisement fields.
var body = make([]byte, 1500)

func BenchmarkPublish(b *testing.B) {
	for _, publishers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("publishers=%d", publishers), func(b *testing.B) {
			q := queuetest.Spawn(b).Open(queue.Options{}) // a process of its own: what it allocates is not counted
			var next atomic.Int64
			b.SetParallelism(publishers)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					e := queuetest.Call(int(next.Add(1)))
					e.Body = body
					if _, err := q.Publish(b.Context(), e); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkRecord measures a record of HISTORY, which many wait for at once.
func BenchmarkRecord(b *testing.B) {
	q := queuetest.New(b)
	r := queue.Record{Link: "a", Outcome: event.Delivered, Source: queue.FromEvents, TransactionID: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		Trail: event.Trail{Attempts: 1, First: time.Now(), Reason: "accepted", Status: 200, Version: "0123456789abcdef"}}
	var next atomic.Int64
	b.SetParallelism(256)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := r
			r.Sequence = uint64(next.Add(1))
			if err := q.Note(b.Context(), queuetest.Call(int(r.Sequence)).Key, r); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkSettle measures what a link's event costs that is decided about at once: delivery, record,
// acknowledgement.
func BenchmarkSettle(b *testing.B) {
	q := queuetest.Spawn(b).Open(queue.Options{})
	fill(b, q, b.N)
	spec := queuetest.Calls("a")
	spec.Handlers = 64
	l := queuetest.OpenLink(b, q, spec)
	b.ReportAllocs()
	b.ResetTimer()
	drain(b, l, b.N, 0)
}

// BenchmarkConsume measures a link whose far end answers in 5 ms, and one whose answers at once,
// with and without history. With 5 ms history is to keep nine tenths of the rate.
func BenchmarkConsume(b *testing.B) {
	for _, answer := range []time.Duration{5 * time.Millisecond, 0} {
		for _, history := range []bool{true, false} {
			b.Run(fmt.Sprintf("answer=%s/history=%v", answer, history), func(b *testing.B) {
				s := queuetest.Start(b)
				q := queuetest.Open(b, s, queue.Options{Limits: queue.Limits{NoHistory: !history}})
				fill(b, q, b.N)
				spec := queuetest.Calls("a")
				spec.Handlers = 64
				l, err := q.OpenLink(b.Context(), spec)
				if err != nil {
					b.Fatal(err)
				}
				b.ResetTimer()
				drain(b, l, b.N, answer)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// fill stores n events in batches.
func fill(b *testing.B, q *queue.Queue, n int) {
	b.Helper()
	for i := 0; i < n; i += 500 {
		var batch []event.Event
		for j := i; j < min(n, i+500); j++ {
			e := queuetest.Call(j)
			e.Body = body
			batch = append(batch, e)
		}
		if err := queue.PublishAsBatch(b.Context(), q, batch...); err != nil {
			b.Fatal(err)
		}
	}
}

// drain consumes n events.
func drain(b *testing.B, l *queue.Link, n int, answer time.Duration) {
	b.Helper()
	var done atomic.Int64
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	err := l.Consume(ctx, queue.Consumption{
		Handle: func(context.Context, *queue.Delivery) queue.Decision {
			time.Sleep(answer)
			return queue.Decision{Outcome: event.Delivered, Status: 200, Attempts: 1, TransactionID: "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}
		},
		Settled: func(*queue.Delivery, queue.Decision) {
			if done.Add(1) == int64(n) {
				cancel()
			}
		},
	})
	if err != nil {
		b.Error(err)
	}
}

// BenchmarkHangingFarEnd measures a hundred links with 600 calls each while the far end hangs for a while
// and then all of them park: goroutines and memory at most, how long a hook's publish takes meanwhile, and
// how long it takes until what was in hand waits in RETRIES.
func BenchmarkHangingFarEnd(b *testing.B) {
	const links, events, hang = 100, 600, 10 * time.Second
	for b.Loop() {
		q := queuetest.New(b)
		fill(b, q, events)
		var begun, settled atomic.Int64
		began := time.Now()
		turn := func(ctx context.Context) (queue.Turn, error) {
			if time.Since(began) < hang {
				return queue.Turn{}, nil
			}
			<-ctx.Done()
			return queue.Turn{}, ctx.Err()
		}
		handle := func(ctx context.Context, _ *queue.Delivery) queue.Decision {
			begun.Add(1)
			select {
			case <-time.After(time.Until(began.Add(hang))):
			case <-ctx.Done():
			}
			return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Hour)}
		}
		ctx, cancel := context.WithCancel(b.Context())
		var wait sync.WaitGroup
		for i := range links {
			spec := queuetest.Calls(fmt.Sprintf("l%d", i))
			spec.Handlers = 64
			l := queuetest.OpenLink(b, q, spec)
			wait.Go(func() {
				_ = l.Consume(ctx, queue.Consumption{Turn: turn, Handle: handle, Finish: time.Second, Settled: func(*queue.Delivery, queue.Decision) { settled.Add(1) }})
			})
		}
		var waits []time.Duration
		goroutines, memory := 0, uint64(0)
		for id := events; time.Since(began) < hang+2*time.Second || settled.Load() < begun.Load(); id++ {
			at := time.Now()
			queuetest.Publish(b, q, queuetest.Call(id))
			waits = append(waits, time.Since(at))
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			goroutines, memory = max(goroutines, runtime.NumGoroutine()), max(memory, m.Sys)
			time.Sleep(100 * time.Millisecond)
		}
		slices.Sort(waits)
		b.ReportMetric(float64(goroutines), "goroutines")
		b.ReportMetric(float64(memory>>20), "MB")
		b.ReportMetric(float64(waits[len(waits)*99/100].Milliseconds()), "ms/hook-p99")
		b.ReportMetric((time.Since(began) - hang).Seconds(), "s/retries")
		b.ReportMetric(float64(begun.Load()), "in-hand")
		cancel()
		wait.Wait()
	}
}
