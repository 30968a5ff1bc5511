package queue

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/wait"
)

// inFlight is the set of a link's messages in flight: delivered to this process and not acknowledged
// yet, with the handlers that work on them. The server must hear of each before its AckWait is over.
type inFlight struct {
	handlers chan struct{} // one place for each handler at work
	dropped  chan struct{} // one was let go of

	mu       sync.Mutex
	messages map[position]*message
}

// position is where a message stands in its stream.
type position struct {
	retry    bool
	sequence uint64
}

func newInFlight(handlers int) inFlight {
	return inFlight{handlers: make(chan struct{}, handlers), dropped: make(chan struct{}, 1), messages: map[position]*message{}}
}

// add takes a message in. False: it is in flight already. After a reconnect the server gives out again
// what is still worked on here; handling it twice would send it twice.
func (f *inFlight) add(m *message) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := position{m.retry, m.sequence()}
	if _, there := f.messages[at]; there {
		return false
	}
	f.messages[at] = m
	return true
}

// drop lets go of a message.
func (f *inFlight) drop(m *message) {
	f.mu.Lock()
	delete(f.messages, position{m.retry, m.sequence()})
	f.mu.Unlock()
	select {
	case f.dropped <- struct{}{}:
	default:
	}
}

func (f *inFlight) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.messages)
}

// awaitEmpty returns when nothing is in flight any more, or ctx ends. One goroutine may wait.
func (f *inFlight) awaitEmpty(ctx context.Context) error {
	for f.count() > 0 {
		select {
		case <-f.dropped:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// takeHandler returns when a handler is free, or ctx ends.
func (f *inFlight) takeHandler(ctx context.Context) error {
	select {
	case f.handlers <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *inFlight) freeHandler() { <-f.handlers }

// keepAlive tells the server every so often that what is in flight for longer is still worked on.
func (f *inFlight) keepAlive(ctx context.Context, every time.Duration) {
	for wait.Sleep(ctx, every) == nil {
		f.mu.Lock()
		for _, m := range f.messages {
			if time.Since(m.taken) >= every/2 {
				_ = m.msg.InProgress()
			}
		}
		f.mu.Unlock()
	}
}

// roomMessages and roomBytes bound what one process has in flight, over all its links: 4,096 events of
// some KB are 64 MB with what handling them takes.
const (
	roomMessages = 4096
	roomBytes    = 64 << 20
)

// room is a semaphore by messages and bytes: it bounds what a process has in flight. Half of it is divided equally among
// the sources, so that no link waits for the far end of another one; the other half goes to those that
// have a backlog, to each an equal part at most.
type room struct {
	messages int
	bytes    int64

	mu      sync.Mutex
	sources int
	backlog int   // sources with one
	taken   int   // asked for or in flight
	held    int64 // bytes in flight
	large   bool  // a message is fetched that is larger than a request's part
	waiting []waiter
}

// waiter is a source that waits for room.
type waiter struct {
	s     *share
	ready chan struct{}
}

func newRoom(messages int, bytes int64) *room {
	return &room{messages: messages, bytes: bytes}
}

// share is the part of one source in a room.
type share struct {
	room    *room
	most    int // messages that it takes at most
	taken   int
	held    int64
	backlog bool // its last request was filled: there is more
	large   bool // its next message did not fit into the request
}

// join gives a source a part, of most messages at most.
func (r *room) join(most int) *share {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources++
	return &share{room: r, most: most}
}

// links is how many links have their two sources here.
func (r *room) links() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return (r.sources + 1) / 2
}

// leave ends a source's part. What it has in flight counts until it is freed.
func (s *share) leave() {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	s.setBacklog(false)
	s.room.sources--
	s.room.wake()
}

// request is a permission to ask for messages.
type request struct {
	n     int
	bytes int  // at most; 0 means one message of any size
	large bool // its one message did not fit into the last request
}

// openFor is how long the request stays open. One for a message of any size keeps others of its kind
// waiting, and its message is there as a rule: it was seen.
func (r request) openFor() time.Duration {
	if r.large {
		return largeWait
	}
	return pullWait
}

// largeWait is how long a request for a message of any size stays open.
const largeWait = time.Second

// cut reports whether a request that ended without an error, with so many messages, after so long, has met
// a message that does not fit into it: then it ends early. One that nothing has come to ends when nine
// tenths of its time are over (nats.go leaves the rest for the way), and also without an error.
func (r request) cut(used int, after time.Duration) bool {
	return used < r.n && r.bytes > 0 && after < r.openFor()*4/5
}

// ask asks for room for up to n messages; none when there is no room now.
func (s *share) ask(n int) request {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if n = min(n, s.worth()); n <= 0 {
		return request{}
	}
	s.taken += n
	r.taken += n
	if s.large {
		r.large = true
		return request{n: n, large: true}
	}
	return request{n: n, bytes: int(max(r.bytes/4/int64(max(r.sources, 1)), leastRequest))}
}

// leastRequest is the least number of bytes that a request asks for.
const leastRequest = 64 << 10

// free is for how many messages a source has room; the lock is held.
func (s *share) free() int {
	r := s.room
	sources := max(r.sources, 1)
	if s.held >= r.bytes/2/int64(sources) && r.held >= r.bytes/2 {
		return 0
	}
	half := r.messages / 2
	n := max(0, max(1, half/sources)-s.taken)
	if s.backlog {
		n = max(n, min(half-r.taken, half/max(r.backlog, 1)-s.taken))
	}
	return max(0, min(n, s.most-s.taken))
}

// worth is for how many messages a source asks, 0 while it is a handful beside those that it has: with each that
// was settled there would be a request for one, which costs more than the message. A message of any size is asked for
// alone, one in the room at a time, and only while half of the room's bytes are free. The lock is held.
func (s *share) worth() int {
	n, r := s.free(), s.room
	switch {
	case s.large && (r.large || r.held >= r.bytes/2):
		return 0
	case s.large:
		return min(1, n)
	case n < s.taken/4:
		return 0
	}
	return n
}

// wait returns when it is worth asking for messages of the source, or ctx ends.
func (s *share) wait(ctx context.Context) error {
	r := s.room
	r.mu.Lock()
	w := waiter{s: s, ready: make(chan struct{})}
	r.waiting = append(r.waiting, w)
	r.wake()
	r.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = slices.DeleteFunc(r.waiting, func(other waiter) bool { return other.ready == w.ready })
	return ctx.Err()
}

// arrived counts the bytes of a message that has come.
func (s *share) arrived(bytes int64) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	s.held += bytes
	s.room.held += bytes
}

// give returns room for n messages, and the bytes of those that had come.
func (s *share) give(n int, bytes int64) {
	if n == 0 {
		return
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	s.taken -= n
	s.held -= bytes
	s.room.taken -= n
	s.room.held -= bytes
	s.room.wake()
}

// requestEnd says how a request ended.
type requestEnd int

const (
	drained  requestEnd = iota // there was no more
	filled                     // there may be more
	metLarge                   // with nothing, because of a message that did not fit into it
)

// fetched says how a request ended.
func (s *share) fetched(asked request, end requestEnd) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if asked.large {
		s.room.large = false
	}
	s.large = end == metLarge
	s.setBacklog(end != drained)
	s.room.wake()
}

// setBacklog says whether the source has a backlog; the lock is held.
func (s *share) setBacklog(yes bool) {
	switch {
	case yes && !s.backlog:
		s.room.backlog++
	case !yes && s.backlog:
		s.room.backlog--
	}
	s.backlog = yes
}

// wake lets those go on that have room now, in the order in which they came; the lock is held.
func (r *room) wake() {
	r.waiting = slices.DeleteFunc(r.waiting, func(w waiter) bool {
		if w.s.worth() == 0 {
			return false
		}
		close(w.ready)
		return true
	})
}

// storingMost is how many outcomes of a process may be under way to the server at once. With synced
// writes it stores some thousand a second; what is asked of it at once beyond that only waits, and
// comes again after a time-out, stored or not.
const storingMost = 256

// turnstile is a semaphore: it lets a bounded number through at once.
type turnstile chan struct{}

func (t turnstile) enter(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turnstile) leave() { <-t }
