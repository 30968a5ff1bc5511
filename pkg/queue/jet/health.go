package jet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Health is how a process that takes or delivers events finds the server.
type Health struct {
	Process string `json:"process"`           // Options.Name of its connection
	Problem string `json:"problem,omitempty"` // why it cannot do its work, and what to do; "" when it can
}

const (
	// healthWithin bounds the wait for the first answer, healthRest for each of the others: nobody
	// knows how many there are, all are asked at once, and one that finds the server well says so in a few
	// milliseconds. healthLook leaves time for the answer to arrive.
	healthWithin = 5 * time.Second
	healthRest   = 150 * time.Millisecond
	healthLook   = 4 * time.Second
)

// AnswerHealth answers every AskHealth on a subject with what look finds, until the client is closed. Look
// has four seconds. No stream may cover the subject: the question and its answers pass through memory alone,
// so that they come through when no stream can be written.
func (c *Client) AnswerHealth(subject string, look func(context.Context) error) error {
	_, err := c.nc.Subscribe(subject, func(m *nats.Msg) {
		ctx, cancel := context.WithTimeout(context.Background(), healthLook)
		defer cancel()
		h := Health{Process: c.opts.Name}
		if err := look(ctx); err != nil {
			h.Problem = err.Error()
		}
		if data, err := json.Marshal(h); err == nil {
			_ = m.Respond(data) // who asked has gone
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	_ = c.nc.FlushTimeout(RequestTimeout) // so that who asks next is answered; while the server is away it hears of it later
	return nil
}

// AskHealth asks every process that answers on a subject how it finds the server. None answers where none
// runs.
func (c *Client) AskHealth(ctx context.Context, subject string) ([]Health, error) {
	inbox := c.nc.NewInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("ask for health: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := c.nc.PublishRequest(subject, inbox, nil); err != nil {
		return nil, fmt.Errorf("ask for health: %w", err)
	}
	var all []Health
	for within := healthWithin; ; within = healthRest {
		one, cancel := context.WithTimeout(ctx, within)
		m, err := sub.NextMsgWithContext(one)
		cancel()
		switch {
		case errors.Is(err, nats.ErrNoResponders), errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			return all, nil
		case err != nil:
			return all, fmt.Errorf("ask for health: %w", err)
		case len(m.Data) == 0 && m.Header.Get("Status") != "": // nobody there
			return all, nil
		}
		var h Health
		if json.Unmarshal(m.Data, &h) == nil {
			all = append(all, h)
		}
		if c.opts.Socket != "" {
			return all, nil // `touchbox up` is alone on it
		}
	}
}

// Ready reports nil when the streams can be written, or an error that says what is wrong and what to do.
func (c *Client) Ready(ctx context.Context, streams ...string) error {
	if !c.nc.IsConnected() {
		return fmt.Errorf("no connection to NATS at %s: see whether the server runs and can be reached; Touchbox connects by itself", c.Where())
	}
	if err := checkVersion(c.nc.ConnectedServerVersion()); err != nil {
		return err
	}
	if err := c.stalled.err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	for _, name := range streams {
		if _, err := c.js.Stream(ctx, name); err != nil {
			return unready(name, err)
		}
	}
	return nil
}

// unready says what an unavailable stream means.
func unready(name string, err error) error {
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%s is missing: ingest and worker create it when they start", name)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("this NATS server runs without JetStream: start it with -js or a jetstream block: %w", err)
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("nobody answers for JetStream (%s): see whether the NATS server has it on, in a cluster whether a majority runs: %w", name, err)
	case Unanswered(err):
		return fmt.Errorf("JetStream does not answer for %s: see the NATS server's log and disk; if its disk was full, free space and restart it: %w", name, err)
	}
	return Describe(name, err)
}

// stalled are the streams that have answered no publish lately although the server is there. A full disk does
// that to a stream: it answers no publish any more until the server is restarted, while others,
// which did not happen to write then, go on.
type stalled struct {
	mu     sync.Mutex
	stream map[string]silence // by the first words of its subjects
}

type silence struct{ since, last time.Time }

// stalledAfter is how long a publish must have waited to count, and stalledFor how long it counts
// when none follows: something must be published again before we can know better.
const (
	stalledAfter = time.Second
	stalledFor   = time.Minute
)

func (x *stalled) note(subject string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stream == nil {
		x.stream = map[string]silence{}
	}
	now := time.Now()
	s := x.stream[streamWords(subject)]
	if now.Sub(s.last) > stalledFor {
		s.since = now
	}
	s.last = now
	x.stream[streamWords(subject)] = s
}

func (x *stalled) clear(subject string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.stream, streamWords(subject))
}

// clearAll forgets everything: the server was restarted, or is another one.
func (x *stalled) clearAll() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stream = nil
}

// err is what Ready says about it.
func (x *stalled) err() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for name, s := range x.stream {
		if time.Since(s.last) <= stalledFor {
			return fmt.Errorf("JetStream has answered no publish to %s since %s: most likely the disk of the NATS server was full. "+
				"Free space on it, then restart nats-server: it does not recover by itself. What was acknowledged is not lost",
				name, s.since.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// streamWords is the two words with which the subjects of one stream begin.
func streamWords(subject string) string {
	parts := strings.SplitN(subject, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
