package queue_test

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// While too many of a link's events wait, its loop takes no fresh ones; what waits goes on.
func TestLoopTakesNoFreshEventsWhileTooManyWait(t *testing.T) {
	t.Parallel()
	log := &queuetest.Buffer{}
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Connection: queue.Connection{Log: zerolog.New(log)}})
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered, Attempts: 2}
		}
		return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Hour)}
	}}
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3))
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "three wait", func() bool { return h.Outcomes()[event.Waiting] == 3 })
	stop()
	queuetest.Publish(t, q, queuetest.Call(4), queuetest.Call(5))
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queue.MostWaiting(l, 3)
	h.Consume(t, l)
	queuetest.Eventually(t, "the alarm", func() bool { return log.Has("no fresh ones are taken") })
	if st := queuetest.Stats(t, q, "a"); st.Unread != 2 || len(h.Deliveries()) != 3 {
		t.Errorf("fresh events were taken: %+v", st)
	}
	for _, r := range queuetest.Retries(t, q, queue.Filter{Key: queuetest.Call(1).Key}) {
		if err := q.RunRetry(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	queuetest.Eventually(t, "one is through, and a fresh one is taken", func() bool {
		return h.Outcomes()[event.Delivered] == 1 && h.Outcomes()[event.Waiting] >= 4
	})
}

// Who was away may have missed that keys were erased, and may meet another store.
func TestKnownKeysAreForgottenAtAReconnect(t *testing.T) {
	t.Parallel()
	server := queuetest.Spawn(t)
	q := server.Open(queue.Options{})
	queuetest.Publish(t, q, queuetest.Call(1))
	if !queue.Knows(q, queuetest.Call(1).Key) {
		t.Fatal("it is not remembered at all")
	}
	server.Kill()
	server.Start()
	queuetest.Eventually(t, "it is forgotten", func() bool { return q.Ready(t.Context()) == nil && !queue.Knows(q, queuetest.Call(1).Key) })
}

// A success from RETRIES takes along the dead letter of its event, also where no look into HISTORY says
// that there may be one: a replay that died before its removal leaves it.
func TestSuccessFromRetriesRemovesTheDeadLetter(t *testing.T) {
	t.Parallel()
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Limits: queue.Limits{NoHistory: true}})
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Replayed {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Dead, Reason: "refused"}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "the dead letter", func() bool { return h.Outcomes()[event.Dead] == 1 })
	if err := queue.PublishReplay(t.Context(), q, queuetest.DeadLetters(t, q, queue.Filter{})[0], queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "delivered", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	if d := queuetest.DeadLetters(t, q, queue.Filter{}); len(d) != 0 {
		t.Errorf("a delivered event is still dead: %+v", d)
	}
}

// A replica may lack the newest events for a moment, and would call a link done that is not: what is
// to be purged is asked for after that.
func TestPurgeWaitsForReplicas(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.Publish(t, q, queuetest.Call(1))
	queue.AsReplicated(q)
	began := time.Now()
	if err := keep.Once(t.Context(), q, keep.Config{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("the purge began after %v", took)
	}
}
