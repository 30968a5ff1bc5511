package queue

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
)

// Most outcomes are settled by a record and an acknowledgement alone, and nobody waits for them. So those of all links of the
// process are settled together: while some records are on their way the next ones gather, and one goroutine sends,
// waits and acknowledges for all. What cannot be settled so goes on alone.

// togetherMost is how many records are on their way together, and togetherEnough how many do not wait for company.
// togetherWait is how long fewer wait: a worker that dies has as much more to do again.
const (
	togetherMost   = 256
	togetherEnough = 64
	togetherWait   = 20 * time.Millisecond
)

// plain reports whether a decision is carried out by a record and an acknowledgement alone, and the record may go with
// others: nothing is to be published or cleared before it, and nobody waits for it. What has been in flight for long is looked up
// before, see storeUnlessErased.
func (w *worker) plain(ctx context.Context, b *begun) bool {
	switch b.x.carriedOut() {
	case event.Waiting, event.Dead:
		return false
	}
	return !b.m.alone && !b.m.traces && !w.longInFlight(b.m) && ctx.Err() == nil
}

// settleSoon settles a plain decision with others.
func (w *worker) settleSoon(work context.Context, b *begun) {
	b.x.Outcome = b.x.carriedOut()
	w.q.together.settle(w.q.history, decided{w, work, b})
}

// together is what is decided and waits for company. The zero value is ready.
type together struct {
	mu      sync.Mutex
	waiting []decided
	spare   []decided // empty: room for those that wait next
	busy    bool      // somebody settles
}

// decided is a message about which is decided.
type decided struct {
	w    *worker
	work context.Context // of the worker
	b    *begun
}

// settle settles what is decided, soon.
func (t *together) settle(history historyLog, one decided) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, one)
	switch {
	case t.busy:
	case len(t.waiting) >= togetherEnough:
		t.busy = true
		go t.work(history)
	case len(t.waiting) == 1:
		time.AfterFunc(togetherWait, func() { t.begin(history) })
	}
}

// begin settles what has gathered, unless somebody does.
func (t *together) begin(history historyLog) {
	t.mu.Lock()
	idle := !t.busy
	t.busy = true
	t.mu.Unlock()
	if idle {
		t.work(history)
	}
}

// work settles what has gathered, and again as long as that is enough; what is left waits for company.
func (t *together) work(history historyLog) {
	for {
		t.mu.Lock()
		all := t.waiting
		t.waiting, t.spare = t.spare[:0], nil
		t.mu.Unlock()
		for some := range slices.Chunk(all, togetherMost) {
			settleTogether(history, some)
		}
		clear(all)
		t.mu.Lock()
		t.spare = all
		if n := len(t.waiting); n < togetherEnough {
			if t.busy = false; n > 0 {
				time.AfterFunc(togetherWait, func() { t.begin(history) })
			}
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
	}
}

// settleTogether writes the records, and acknowledges each message whose record is stored. What is left is settled by itself,
// as long as that takes.
func settleTogether(history historyLog, all []decided) {
	records := make([]*nats.Msg, 0, len(all))
	plain := all[:0]
	for _, one := range all {
		r, mistake := one.b.d.record(*one.b.x, one.b.m)
		if mistake == nil {
			var m *nats.Msg
			if m, mistake = history.recordMessage(one.b.m.key, &r); mistake == nil && !one.w.longInFlight(one.b.m) {
				plain, records = append(plain, one), append(records, m)
				continue
			}
		}
		go one.settleAlone()
	}
	for i, err := range history.writeAll(context.Background(), records) {
		one := plain[i]
		if err != nil {
			go one.settleAlone()
			continue
		}
		one.w.conclude(one.b.m, one.b.d, *one.b.x, through, nil)
		one.w.release(one.b)
	}
}

// settleAlone settles what is decided about one message, and lets go of it.
func (o decided) settleAlone() {
	o.w.settle(o.work, o.b.m, o.b.d, *o.b.x)
	o.w.returnInterrupted(o.work, o.b.m)
	o.w.release(o.b)
}
