package queue_test

import (
	"context"
	"fmt"
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
			q := queuetest.New(b)
			var next atomic.Int64
			b.SetParallelism(publishers)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					e := call(int(next.Add(1)))
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

// BenchmarkConsume measures a link whose far end answers in 5 ms, and one whose answers at once,
// with and without history. With 5 ms history is to keep nine tenths of the rate.
func BenchmarkConsume(b *testing.B) {
	for _, answer := range []time.Duration{5 * time.Millisecond, 0} {
		for _, history := range []bool{true, false} {
			b.Run(fmt.Sprintf("answer=%s/history=%v", answer, history), func(b *testing.B) {
				s := queuetest.Start(b)
				q := queuetest.Open(b, s, queue.Options{Limits: queue.Limits{NoHistory: !history}})
				fill(b, q, b.N)
				spec := calls("a")
				spec.Workers = 64
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
			e := call(j)
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
