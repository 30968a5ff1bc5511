package jet

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// batchRoom is what the headers of a batch add to those of a message.
const batchRoom = 256

// A batch has at most maxBatch messages; the server takes up to 1000. Fewer than minBatch are cheaper each by
// itself: the server stages a batch in files of its own, which it syncs.
const (
	minBatch = 8
	maxBatch = 256
)

// Committer stores messages of one stream. Where the server syncs each write it makes batches of them (group
// commit), so that one sync serves many: while some are on their way, the next ones gather. There is no
// timer: a message that comes alone goes at once, as a plain publish of its caller's. Where writes cost nearly
// nothing each message does, see price.
type Committer struct {
	client *Client
	in     chan commit
	end    chan struct{}
	ended  sync.WaitGroup
	busy   sync.Mutex    // while something is on its way
	price  price         // of one write; whoever is busy has it
	cheap  atomic.Uint64 // 1 + the epoch in which writes are known to be

	work   context.Context // of what is under way
	cancel context.CancelFunc
}

// commit is a message of those that one caller brings, and where he waits for what becomes of it.
type commit struct {
	m    *nats.Msg
	at   int
	done chan<- committed
}

// committed is what became of the message at a place.
type committed struct {
	at  int
	err error
}

func (c commit) end(err error) { c.done <- committed{c.at, err} }

// NewCommitter begins to store what Add brings, until Close.
func NewCommitter(client *Client) *Committer {
	c := &Committer{client: client, in: make(chan commit, maxBatch), end: make(chan struct{})}
	c.work, c.cancel = context.WithCancel(context.Background())
	c.ended.Go(c.run)
	return c
}

// Close ends it without waiting for the server: who waited for an answer has none, and brings the
// same again.
func (c *Committer) Close() {
	close(c.end)
	c.cancel()
	c.ended.Wait()
}

// Add stores a message and returns when that is done, refused or undecided. One that the server does
// not take comes into no batch: it would be refused with all others.
func (c *Committer) Add(ctx context.Context, m *nats.Msg) error {
	if !c.client.Fits(m, batchRoom) {
		return ErrTooLarge
	}
	if c.work.Err() != nil {
		return ErrClosed
	}
	if epoch, _ := c.client.Epoch(); c.cheap.Load() == epoch+1 {
		_, err := c.client.Publish(ctx, m)
		return err
	}
	if len(c.in) == 0 && c.busy.TryLock() {
		defer c.busy.Unlock()
		return c.storeAlone(ctx, m)
	}
	return c.queue(ctx, []*nats.Msg{m}, make([]error, 1))[0]
}

// AddAll is Add of several messages, which are on their way together. What became of each stands at its place.
func (c *Committer) AddAll(ctx context.Context, all []*nats.Msg) []error {
	if len(all) == 1 {
		return []error{c.Add(ctx, all[0])}
	}
	errs := make([]error, len(all))
	for i, m := range all {
		if !c.client.Fits(m, batchRoom) {
			errs[i] = ErrTooLarge
		}
	}
	if epoch, _ := c.client.Epoch(); c.cheap.Load() == epoch+1 && !slices.Contains(errs, ErrTooLarge) {
		return c.client.PublishEach(ctx, all)
	}
	return c.queue(ctx, all, errs)
}

// queue lets messages go with the next batches, but for those of which errs says that they are refused already, and
// waits for what becomes of them.
func (c *Committer) queue(ctx context.Context, all []*nats.Msg, errs []error) []error {
	done, open, waits := make(chan committed, len(all)), 0, make([]bool, len(all))
	var cut error
	for i, m := range all {
		if waits[i] = errs[i] == nil; !waits[i] || cut != nil {
			continue
		}
		select {
		case c.in <- commit{m, i, done}:
			open++
		case <-c.end:
			cut = ErrClosed
		case <-ctx.Done():
			cut = ctx.Err()
		}
	}
	for ; open > 0 && cut == nil; open-- {
		select {
		case one := <-done:
			errs[one.at], waits[one.at] = one.err, false
		case <-c.end:
			cut = ErrClosed
		case <-ctx.Done():
			cut = ctx.Err()
		}
	}
	for i := range all {
		if waits[i] {
			errs[i] = cut
		}
	}
	return errs
}

func (c *Committer) run() {
	for {
		select {
		case first := <-c.in:
			c.busy.Lock()
			c.store(c.gather(first))
			c.busy.Unlock()
		case <-c.end:
			return
		}
	}
}

// gather takes what waits, without waiting for more, and nothing else where the price is still to be learnt.
func (c *Committer) gather(first commit) []commit {
	batch := []commit{first}
	for len(batch) < maxBatch && c.price.known(c.client.Epoch()) {
		select {
		case next := <-c.in:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// store stores what waited: as one batch where it is enough for one, else each singly and all at once. So is a
// batch that was refused, or came to no answer: one that cannot be stored must not cost the others. Who brings
// messages here has guarded them, or bears that one is stored twice.
func (c *Committer) store(batch []commit) {
	if len(batch) == 1 {
		batch[0].end(c.storeAlone(c.work, batch[0].m))
		return
	}
	if len(batch) >= minBatch && c.client.PublishBatch(c.work, messages(batch)) == nil {
		for _, b := range batch {
			b.end(nil)
		}
		return
	}
	for i, err := range c.client.PublishEach(c.work, messages(batch)) {
		batch[i].end(err)
	}
}

// storeAlone stores a message while nothing else is on its way, and learns what that costs.
func (c *Committer) storeAlone(ctx context.Context, m *nats.Msg) error {
	if !c.price.known(c.client.Epoch()) {
		c.price.tripped(c.trip())
	}
	began := time.Now()
	_, err := c.client.Publish(ctx, m)
	c.price.wrote(time.Since(began), err)
	if c.price.low() {
		c.cheap.Store(c.price.epoch + 1)
	}
	return err
}

// trip is the time of the way to the server and back.
func (c *Committer) trip() (time.Duration, error) {
	ctx, cancel := context.WithTimeout(c.work, time.Second)
	defer cancel()
	began := time.Now()
	err := c.client.nc.FlushWithContext(ctx)
	return time.Since(began), err
}

// price is what a write costs the server. No client is told whether its server syncs each write, nor how fast
// the disk is. So the first messages of a connection are stored one after another, and the quickest of them is
// compared with the quickest way there and back: what is above that is other load. Where that comes to no
// answer, writes are taken for dear, until one that was alone shows that they are not.
type price struct {
	epoch       uint64
	writes      int           // that were measured
	write, trip time.Duration // 0: not known
}

// A sync takes 150 us and more on disks where it is worth sharing, a write without one some 5 us.
const (
	enoughWrites = 100
	lowPrice     = 75 * time.Microsecond
)

// known reports whether enough was measured in this epoch: another one may be another server's.
func (p *price) known(epoch uint64, _ context.Context) bool {
	if p.epoch != epoch {
		*p = price{epoch: epoch}
	}
	return p.writes >= enoughWrites
}

func (p *price) low() bool {
	return p.writes >= enoughWrites && p.write > 0 && p.trip > 0 && p.write-p.trip < lowPrice
}

func (p *price) tripped(took time.Duration, err error) {
	if err != nil {
		p.writes = enoughWrites
		return
	}
	p.trip = shorter(p.trip, took)
}

func (p *price) wrote(took time.Duration, err error) {
	switch {
	case err == nil:
		p.write = shorter(p.write, took)
		p.writes++
	case Unanswered(err):
		p.writes = enoughWrites
	}
}

func shorter(known, took time.Duration) time.Duration {
	if known == 0 {
		return took
	}
	return min(known, took)
}

func messages(batch []commit) []*nats.Msg {
	out := make([]*nats.Msg, len(batch))
	for i, b := range batch {
		out[i] = b.m
	}
	return out
}

// PublishBatch stores messages of one stream, all or none, and waits for the one answer. The guard of each
// counts, and one that does not hold refuses them all: the server says only that it was one, not which. The
// messages themselves stay as they are: with the headers of a batch one would never be stored by itself.
func (c *Client) PublishBatch(ctx context.Context, batch []*nats.Msg) error {
	parts := make([]*nats.Msg, len(batch))
	for i, m := range batch {
		parts[i] = &nats.Msg{Subject: m.Subject, Data: m.Data, Header: maps.Clone(m.Header)}
	}
	own, cancel := context.WithTimeout(ctx, c.opts.AnswerTimeout)
	defer cancel()
	_, ended := c.epoch.now()
	defer context.AfterFunc(ended, cancel)()
	began := time.Now()
	_, err := jetstreamext.PublishMsgBatch(own, c.js, parts, onlyCommitAnswered)
	return c.published(ctx, parts[0].Subject, began, err)
}

// onlyCommitAnswered lets a batch go out at once: by default the library waits for an answer to the first
// message, which says nothing about the rest.
var onlyCommitAnswered = jetstreamext.BatchFlowControl{}
