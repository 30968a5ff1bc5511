package queue

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// After a crash the server gives out again some hundred messages that were acknowledged, most of them marked as
// first deliveries. So after each interruption of a consumer (a start, a reconnect, a pause) what it has to give is
// compared with HISTORY: a few messages singly, more of them with the links and events of the last records, which are
// read once for all links of the process.

// fewToGive is how many messages are looked up singly. Of more so are the firstFew: a probe, or the head of the log of a
// link with a delay, comes alone behind a pause, each time, and must not cost a reading of the last records.
const (
	fewToGive = 256
	firstFew  = 16
)

// givenMargin is by how much more messages are looked up than the consumer has to give: the server's count of those is
// not exact to the message.
const givenMargin = 64

// checkPause is a pause in the deliveries that counts as an interruption: that is how a resumed consumer, or
// one whose leader changed, looks from here.
const checkPause = 5 * time.Second

// checks says which of a consumer's messages are looked up in HISTORY.
type checks struct {
	mu      sync.Mutex
	begun   bool
	broken  bool // something went wrong since the last delivery
	epoch   uint64
	last    time.Time // of a delivery
	highest uint64    // sequence of a first delivery

	left   uint64       // so many first deliveries are compared with HISTORY yet
	singly uint64       // the first of them by a look-up each
	how    interruption // that came before them
	recent recent       // the others by this; nil: it is still to be read
}

// interruption says how a consumer was interrupted.
type interruption int

const (
	uninterrupted interruption = iota
	connected                  // this is its first message in this epoch of the connection
	resumed                    // it was paused, or something went wrong
)

// interrupted says how the consumer was interrupted before the message that has just come. A first delivery that does
// not come behind all earlier ones shows that the server has forgotten what it gave out.
func (c *checks) interrupted(epoch uint64, meta *jetstream.MsgMetadata) interruption {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, first, how := time.Now(), meta.NumDelivered <= 1, uninterrupted
	switch {
	case !c.begun || epoch != c.epoch:
		how = connected
	case c.broken || now.Sub(c.last) > checkPause || first && meta.Sequence.Stream <= c.highest:
		how = resumed
	}
	c.begun, c.broken, c.epoch, c.last = true, false, epoch, now
	if first {
		c.highest = meta.Sequence.Stream
	}
	return how
}

// expect says what is compared with HISTORY from now on: as many messages as the consumer had to give when it was interrupted.
func (c *checks) expect(how interruption, pending uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.how, c.left, c.singly, c.recent = how, pending+givenMargin, firstFew, nil
	if pending <= fewToGive {
		c.singly = c.left
	}
}

// unread is the interruption for which the last records are to be read before the next message.
func (c *checks) unread() interruption {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 || c.singly > 0 || c.recent != nil {
		return uninterrupted
	}
	return c.how
}

// know takes the last records, for as long as there is something to compare with them.
func (c *checks) know(r recent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent = r
}

// due reports whether a first delivery is looked up.
func (c *checks) due(p pair) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return false
	}
	known := c.recent
	if c.left--; c.left == 0 {
		c.recent = nil
	}
	if c.singly > 0 {
		c.singly--
		return true
	}
	return known.has(p)
}

// restart makes the next message one behind an interruption.
func (c *checks) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = true
}

// lookBack reads the last records where the next message of a consumer is to be compared with them.
func (w *worker) lookBack(ctx context.Context, s *source, epoch uint64) error {
	how := s.checks.unread()
	if how == uninterrupted {
		return nil
	}
	after := time.Now()
	if how == connected { // what was settled since then was not forgotten before it
		after = w.began
	}
	r, err := w.q.recents.since(ctx, w.q, epoch, after)
	if err != nil {
		return err
	}
	s.checks.know(r)
	return nil
}

// pair is a link and the key of an event that it settled.
type pair struct{ link, key string }

// recent is the set of what the last records of HISTORY are about, by hashes: a pair that is not in it has no record
// among them, one that is in it is looked up. Nil knows none.
type recent map[uint64]struct{}

var recentSeed = maphash.MakeSeed()

func (p pair) hash() uint64 { return maphash.Comparable(recentSeed, p) }

func (r recent) has(p pair) bool {
	_, there := r[p.hash()]
	return there
}

// How many records are read: for each link more than the messages that a server forgets, and some for all that
// stands between them.
const (
	recentLeast   = 20_000
	recentPerLink = 2_500
)

// recents is what was read last, for all links of the process.
type recents struct {
	mu    sync.Mutex
	epoch uint64
	read  time.Time // when the reading began; zero: nothing was read
	set   recent
}

// since returns the last records of HISTORY, read in this epoch and not before a moment.
func (r *recents) since(ctx context.Context, q *Queue, epoch uint64, after time.Time) (recent, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.set != nil && r.epoch == epoch && !r.read.Before(after) {
		return r.set, nil
	}
	began := time.Now()
	set, err := q.readRecent(ctx, uint64(recentLeast+recentPerLink*q.room.links()))
	if err != nil {
		return nil, err
	}
	r.set, r.epoch, r.read = set, epoch, began
	return set, nil
}

// readRecent reads about so many records from the end of HISTORY.
func (q *Queue) readRecent(ctx context.Context, n uint64) (recent, error) {
	set := recent{}
	if q.history.committer == nil {
		return set, nil
	}
	last, err := q.jet.LastSequence(ctx, event.HistoryStream)
	if err != nil {
		return nil, err
	}
	for m, err := range q.jet.Flowing(ctx, event.HistoryStream, jet.FlowOptions{From: last - min(last, n) + 1}) {
		if err != nil {
			return nil, err
		}
		var about struct {
			Link string `json:"link"`
		}
		if json.Unmarshal(m.Data, &about) == nil && about.Link != "" {
			set[pair{about.Link, event.HistorySubjects.Rest(m.Subject)}.hash()] = struct{}{}
		}
	}
	return set, nil
}
