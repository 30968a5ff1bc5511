package queue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// One link alone has as much as it can use; of a hundred each has its part, however greedy the others.
func TestRoomIsShared(t *testing.T) {
	t.Parallel()
	alone := queue.NewRoom(4096, 64<<20)
	one := alone.Join(512)
	if n := one.Take(512); n != 512 {
		t.Errorf("one source took %d of 512", n)
	}
	room := queue.NewRoom(4096, 64<<20)
	var all []*queue.Share
	for range 200 {
		all = append(all, room.Join(512))
	}
	all[0].Backlog()
	total := 0
	for range 20 {
		total += all[0].Take(512)
	}
	if total < 400 || total > 512 {
		t.Errorf("a link with a backlog, and nobody else, took %d", total)
	}
	for _, s := range all[1:] {
		s.Backlog()
	}
	for i, s := range all[1:] {
		n := s.Take(512)
		if n < 10 {
			t.Errorf("source %d is left with %d", i+1, n)
		}
		total += n
	}
	if total > 4096 {
		t.Errorf("%d in hand", total)
	}
}

// Who has much in hand does not ask for each message that was settled.
func TestRoomIsAskedForInParts(t *testing.T) {
	t.Parallel()
	s := queue.NewRoom(4096, 64<<20).Join(512)
	asked := 0
	for left := s.Take(512); asked < 100 && left > 0; left-- {
		s.Give(1, 0)
		if n := s.Take(512); n > 0 {
			left += n
			asked++
			if n < 64 {
				t.Fatalf("a request for %d messages beside %d in hand", n, left)
			}
		}
	}
	if asked < 100 {
		t.Errorf("asked %d times and then no more", asked)
	}
}

// A message that fits into no request of several is asked for by itself as soon as there is room for it, and the turn to ask for
// one of its kind is not lost where there is none.
func TestRoomForALargeMessage(t *testing.T) {
	t.Parallel()
	room := queue.NewRoom(4096, 64<<20)
	busy, other := room.Join(512), room.Join(512)
	left := busy.Take(512)
	busy.MetLarge()
	if n := busy.Take(512); n != 0 {
		t.Fatalf("%d of a full source", n)
	}
	busy.Give(1, 0)
	if n := busy.Take(512); n != 1 {
		t.Fatalf("%d asked for beside %d in hand", n, left-1)
	}
	busy.Fetched(false)
	other.MetLarge()
	if n := other.Take(512); n != 1 {
		t.Errorf("another source asks for %d", n)
	}
}

// Whatever happens, the room is not overfilled, and whoever waits goes on when the others let go.
func TestRoomProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const messages, bytes = 64, 1 << 20
		room := queue.NewRoom(messages, bytes)
		n := rapid.IntRange(1, 40).Draw(t, "sources")
		var all []*queue.Share
		held := make([][]int64, n)
		for range n {
			all = append(all, room.Join(rapid.IntRange(1, 32).Draw(t, "most")))
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			i := rapid.IntRange(0, n-1).Draw(t, "source")
			if rapid.Bool().Draw(t, "gives") && len(held[i]) > 0 {
				all[i].Give(1, held[i][0])
				held[i] = held[i][1:]
				continue
			}
			taken := all[i].Take(rapid.IntRange(1, 100).Draw(t, "want"))
			came := rapid.IntRange(0, taken).Draw(t, "came")
			for range came {
				size := rapid.Int64Range(1, 2000).Draw(t, "size")
				all[i].Arrived(size)
				held[i] = append(held[i], size)
			}
			all[i].Give(taken-came, 0)
			all[i].Fetched(came == taken)
			total := 0
			for _, h := range held {
				total += len(h)
			}
			if total > messages+n {
				t.Fatalf("%d messages in hand of %d sources", total, n)
			}
		}
		for i := range all {
			for _, size := range held[i] {
				all[i].Give(1, size)
			}
		}
		for i, s := range all {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			if err := s.Wait(ctx); err != nil || s.Take(1) != 1 {
				t.Fatalf("the room is empty, and source %d finds none", i)
			}
			s.Give(1, 0)
			cancel()
		}
	})
}

// peak is what handlers had in hand at most.
type peak struct {
	mu      sync.Mutex
	n, most int
	byLink  map[string]int
	release chan struct{}
}

func (p *peak) handle(ctx context.Context, d *queue.Delivery) queue.Decision {
	p.mu.Lock()
	p.n++
	p.most = max(p.most, p.n)
	p.byLink[d.Link]++
	p.mu.Unlock()
	select {
	case <-p.release:
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.n--
	p.mu.Unlock()
	return queue.Decision{Outcome: event.Delivered}
}

// Many links with a far end that hangs have no more in hand than the process may, and each has some;
// a link whose far end is well goes on meanwhile.
func TestManyLinksShareTheRoom(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a far end hangs")
	q := queuetest.New(t)
	queue.SetRoom(q, 100, 64<<20)
	const n, links = 60, 10
	for i := range n {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	p := &peak{byLink: map[string]int{}, release: make(chan struct{})}
	for i := range links {
		spec := queuetest.Calls(fmt.Sprintf("l%d", i))
		spec.Handlers = 64
		x := consume(queuetest.OpenLink(t, q, spec), queue.Consumption{Handle: p.handle, Finish: shortFinish})
		t.Cleanup(func() { _ = x.stop(t) })
	}
	inHand := func() (all []int) {
		for i := range links {
			all = append(all, int(queuetest.Stats(t, q, fmt.Sprintf("l%d", i)).InHand))
		}
		return all
	}
	sum := func(all []int) (total int) {
		for _, n := range all {
			total += n
		}
		return total
	}
	queuetest.Eventually(t, "each has some", func() bool { return slices.Min(inHand()) > 0 })
	well := &queuetest.Handler{}
	well.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("well")))
	queuetest.Eventually(t, "the link whose far end is well has read all", func() bool { return well.Outcomes()[event.Delivered] == n })
	if all := inHand(); sum(all) > 100+2*links {
		t.Errorf("%d in hand where 100 are allowed: %v", sum(all), all)
	}
	close(p.release)
	queuetest.Eventually(t, "all is through", func() bool { return sum(inHand()) == 0 && queuetest.Stats(t, q, "l0").Unread == 0 })
}

// Events that are larger than a request's part come all the same, one by one.
func TestLargeEventsFindRoom(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queue.SetRoom(q, 4096, 1<<20)
	for i := range 8 {
		e := queuetest.Call(i)
		if i%2 == 0 {
			e.Body = make([]byte, 700_000)
		}
		queuetest.Publish(t, q, e)
	}
	for _, id := range []string{"a", "b"} {
		h := &queuetest.Handler{}
		h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls(id)))
		queuetest.Eventually(t, "all of "+id, func() bool { return h.Outcomes()[event.Delivered] == 8 })
	}
}

// A parked link with a delay takes no young event after the other for its probes.
func TestProbesOfADelayedLinkLeaveYoungEvents(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.Delay = time.Hour
	for i := range 30 {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	turns := make(chan struct{})
	x := consume(queuetest.OpenLink(t, q, spec), queue.Consumption{
		Finish: shortFinish, Handle: (&queuetest.Handler{}).Handle,
		Turn: func(ctx context.Context) (queue.Turn, error) {
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
			}
			return queue.Turn{Max: 1, Probe: true}, nil
		},
	})
	for range 6 {
		<-turns
	}
	if st := queuetest.Stats(t, q, "a"); st.InHand > 1 {
		t.Errorf("%d young events were put back", st.InHand)
	}
	_ = x.stop(t)
}

// A request to which nothing came is no sign of a large message: links that idle would take turns at waiting for one.
func TestIdleRequestIsNotCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		used  int
		after time.Duration
		want  bool
	}{
		{"ended at once", 0, time.Millisecond, true},
		{"after some messages", 3, time.Second, true},
		{"filled", 8, time.Second, false},
		{"expired by the server's clock", 0, queue.PullWait * 9 / 10, false},
		{"expired with some messages", 3, queue.PullWait*9/10 - 50*time.Millisecond, false},
	} {
		if got := queue.Cut(8, tt.used, tt.after); got != tt.want {
			t.Errorf("%s: cut is %v", tt.name, got)
		}
	}
}

// Links that have been idle for longer than a request stays open are as quick as ever.
func TestLinksAreQuickAfterALongIdle(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "it waits until requests have expired")
	q := queuetest.New(t)
	handlers := map[string]*queuetest.Handler{}
	for _, id := range []string{"a", "b", "c"} {
		handlers[id] = &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision { return queue.Decision{Outcome: event.Delivered} }}
		handlers[id].Consume(t, queuetest.OpenLink(t, q, queuetest.Calls(id)))
	}
	time.Sleep(queue.PullWait + time.Second)
	began := time.Now()
	queuetest.Publish(t, q, queuetest.Call(1))
	for id, h := range handlers {
		queuetest.Eventually(t, "link "+id, func() bool { return h.Outcomes()[event.Delivered] == 1 })
	}
	if took := time.Since(began); took > queue.PullWait/2 {
		t.Errorf("it took %v", took)
	}
}
