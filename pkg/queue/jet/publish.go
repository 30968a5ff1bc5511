package jet

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/wait"
)

// PublishTimeout bounds one publish. With synced writes a disk that catches up on something else
// keeps a publish waiting for seconds.
const PublishTimeout = 5 * time.Second

// Pauses between the tries of what is to be stored while somebody waits for it. A proposal in flight
// is decided within a millisecond, as a rule; where nobody is there, one comes within seconds.
const (
	flyingWait = 10 * time.Millisecond
	awayWait   = 250 * time.Millisecond
)

// storePatience bounds the tries where the caller has no bound of his own: a hook has 10 s. A leader
// is elected within 5 s, a server with a million events restarts within 3.
const storePatience = 10 * time.Second

// SwitchAfter is how long nothing could be stored before another server is tried. An election is over by
// then, as a rule.
const SwitchAfter = 4 * time.Second

// Insist tries to store something until it is stored, or is known to be hopeless, or until the time
// of the caller is over. The error is that of the last try, or of the one before it where the last
// was cut short.
func (c *Client) Insist(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := within(ctx, storePatience)
	defer cancel()
	var last error
	began := time.Now()
	for flying := flyingWait; ; {
		err := try(ctx)
		if err == nil || hopeless(err) {
			return err
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if time.Since(began) >= SwitchAfter && ctx.Err() == nil {
			c.SwitchServer()
		}
		pause := awayWait
		if InFlight(err) {
			pause = flying
			flying = min(2*flying, awayWait)
		}
		if wait.Sleep(ctx, pause) != nil {
			return last
		}
	}
}

// within is context.WithTimeout, but that a context which ends sooner stays as it is.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if end, bound := ctx.Deadline(); bound && time.Until(end) <= d {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// Publish sends one message to a stream and waits until it is stored, at this sequence, or refused. No answer within
// Options.AnswerTimeout, or before the connection is a new one, is an error that leaves it open whether the
// message is stored.
func (c *Client) Publish(ctx context.Context, m *nats.Msg) (sequence uint64, err error) {
	_, ended := c.epoch.now()
	late, stop := overAfter(c.opts.AnswerTimeout)
	defer stop()
	began := time.Now()
	sequence, err = c.publishOnce(ctx, m, ended.Done(), late)
	for tries := 0; errors.Is(err, jetstream.ErrNoStreamResponse) && tries < jetstream.DefaultPubRetryAttempts; tries++ {
		if wait.Sleep(ctx, jetstream.DefaultPubRetryWait) != nil { // as a rule a leader changes, which is over by then
			break
		}
		sequence, err = c.publishOnce(ctx, m, ended.Done(), late)
	}
	return sequence, c.published(ctx, m.Subject, began, err)
}

// published returns what the error of a publish means. It remembers a stream that gave no answer.
func (c *Client) published(ctx context.Context, subject string, began time.Time, err error) error {
	switch {
	case err != nil && c.closing.Load():
		return ErrClosed
	case errors.Is(err, errCut), errors.Is(err, context.Canceled) && ctx.Err() == nil:
		return errCut
	case !Unanswered(err):
		c.stalled.clear(subject)
	case c.nc.IsConnected() && time.Since(began) >= stalledAfter:
		c.stalled.note(subject)
	}
	return err
}

// Guard holds a publish to its subject: sequence is that of the newest message there, 0 when there is to be
// none. The library's options say the same, at the price of five allocations a publish.
func Guard(h nats.Header, sequence uint64) {
	h.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(sequence, 10))
}

// GuardOn is Guard over all subjects that match a filter.
func GuardOn(h nats.Header, filter string, sequence uint64) {
	Guard(h, sequence)
	h.Set(jetstream.ExpectedLastSubjSeqSubjHeader, filter)
}

// serverPrefix begins the names of the headers that are the server's.
const serverPrefix = "nats-"

// OwnHeader copies what is ours of a message's headers. Nothing of the server's is copied on: a
// message with the batch headers of another would be staged as part of a batch and never stored,
// one with its guard would be held to another's sequence.
func OwnHeader(h nats.Header) nats.Header {
	own := maps.Clone(h)
	maps.DeleteFunc(own, func(name string, _ []string) bool {
		return strings.HasPrefix(strings.ToLower(name), serverPrefix)
	})
	if own == nil {
		own = nats.Header{}
	}
	return own
}

// headerBytes is the most that the server takes of headers.
const headerBytes = 64 << 10

// Fits reports whether the server takes a message with so much more in its headers.
func (c *Client) Fits(m *nats.Msg, more int) bool {
	header := more
	for name, values := range m.Header {
		for _, v := range values {
			header += len(name) + len(v) + len(": \r\n")
		}
	}
	return header <= headerBytes && int64(header+len(m.Data)) <= c.nc.MaxPayload()
}
