package jet

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// RemovedAfter is how long a message is waited for before the server is asked whether there still is one.
const RemovedAfter = removedAfter

// Functions that are tested by themselves.
var (
	CheckVersion = checkVersion
	ReadAck      = readAck
	OverAfter    = overAfter
)

// AnswersWaited is for how many answers to publishes is waited.
func AnswersWaited(c *Client) int {
	c.answers.mu.Lock()
	defer c.answers.mu.Unlock()
	return len(c.answers.waiting)
}

// WasRemoved asks whether a removal that was refused with a code is done.
func WasRemoved(ctx context.Context, c *Client, stream string, sequence uint64, code int) bool {
	return c.wasRemoved(ctx, stream, sequence, jetstream.ErrorCode(code))
}

// StoreTogether stores messages as a Committer does on which they waited together, and returns what became of
// each.
func StoreTogether(c *Client, all ...*nats.Msg) []error {
	committer := &Committer{client: c, work: context.Background(), price: price{writes: enoughWrites}}
	batch, done := make([]commit, len(all)), make(chan committed, len(all))
	for i, m := range all {
		batch[i] = commit{m, i, done}
	}
	committer.store(batch)
	errs := make([]error, len(all))
	for range all {
		one := <-done
		errs[one.at] = one.err
	}
	return errs
}

// Price is what a write costs.
type Price struct{ p price }

// NewPrice knows nothing yet.
func NewPrice() *Price {
	return &Price{}
}

// Tripped notes the way there and back.
func (p *Price) Tripped(took time.Duration, err error) { p.p.tripped(took, err) }

// Wrote notes a write.
func (p *Price) Wrote(took time.Duration, err error) { p.p.wrote(took, err) }

// Low reports whether writes are known to cost little.
func (p *Price) Low() bool { return p.p.low() }

// ExpectAnswer waits for an answer, and returns its subject, what lets it come and what gives it up.
func ExpectAnswer(t testing.TB, c *Client) (subject string, come, forget func()) {
	t.Helper()
	w := waiter{0, newAwaited(1)}
	subject, err := c.answers.expect(c.nc, w)
	if err != nil {
		t.Fatal(err)
	}
	return subject, func() { c.answers.take(&nats.Msg{Subject: subject}) }, func() { c.answers.of(subject, w) }
}

// AnsweredAndUnsent lets the answer to one of two publishes come of which nats.go says then that it was not sent, and reports
// whether the other one's is waited for.
func AnsweredAndUnsent(t testing.TB, c *Client) bool {
	t.Helper()
	with := newAwaited(2)
	for at := range 2 {
		subject, err := c.answers.expect(c.nc, waiter{at, with})
		if err != nil {
			t.Fatal(err)
		}
		if at == 0 {
			c.answers.take(&nats.Msg{Subject: subject})
			c.answers.unsent(subject, waiter{at, with})
		}
	}
	return with.open == 1
}

// NextLeft reads the next message; nil when those that were left have been removed.
func (r *Reader) NextLeft(ctx context.Context) (*Message, error) { return r.nextLeft(ctx) }
