package jet

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// answers are those that publishes wait for, by one subscription for all of them. nats.go's own requests end
// with a context. Each publish ends with its caller's, with the connection epoch and with its time: as contexts
// made for it these were a twelfth of what ingest did.
type answers struct {
	mu      sync.Mutex
	inbox   string // under which they come; "" before the first publish
	last    uint64
	free    []string          // subjects of answers that have come: the server knows the way to them by now
	waiting map[string]waiter // by the subject of the answer
}

// waiter is one publish of those that wait together.
type waiter struct {
	at   int
	with *awaited
}

// awaited are the answers to publishes that one goroutine awaits: it is woken once, when all have come. The mutex of
// answers guards them.
type awaited struct {
	came []*nats.Msg   // each at its place
	open int           // that have not come
	all  chan struct{} // closed when none is open
}

func newAwaited(n int) *awaited {
	return &awaited{came: make([]*nats.Msg, n), open: n, all: make(chan struct{})}
}

// expect returns the subject for an answer that is to come to w.
func (a *answers) expect(nc *nats.Conn, w waiter) (subject string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.inbox == "" {
		inbox := nc.NewInbox() + "."
		if _, err := nc.Subscribe(inbox+"*", a.take); err != nil {
			return "", err
		}
		a.inbox, a.waiting = inbox, map[string]waiter{}
	}
	if n := len(a.free); n > 0 {
		subject, a.free = a.free[n-1], a.free[:n-1]
	} else {
		a.last++
		subject = a.inbox + strconv.FormatUint(a.last, 36)
	}
	a.waiting[subject] = w
	return subject, nil
}

// take keeps an answer for who waits for it.
func (a *answers) take(m *nats.Msg) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w, waits := a.waiting[m.Subject]; waits {
		delete(a.waiting, m.Subject)
		a.free = append(a.free, m.Subject)
		w.end(m)
	}
}

// end is how the wait of one of them ends; m is nil where no answer will come. The mutex is held.
func (w waiter) end(m *nats.Msg) {
	w.with.came[w.at] = m
	if w.with.open--; w.with.open == 0 {
		close(w.with.all)
	}
}

// unsent says that a publish could not be sent, as far as nats.go knows: its subject is "" where it had none yet.
func (a *answers) unsent(subject string, w waiter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, waits := a.waiting[subject]; !waits && subject != "" {
		return // it has an answer all the same: a wait that ended twice would leave another one out
	}
	delete(a.waiting, subject)
	w.end(nil)
}

// of is the answer that has come to w under a subject, nil where none has. Nobody waits for it any more: it may come yet, so
// that its subject is nobody else's.
func (a *answers) of(subject string, w waiter) *nats.Msg {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.with.came[w.at] == nil {
		delete(a.waiting, subject)
	}
	return w.with.came[w.at]
}

// publishOnce sends a message to a stream and waits for its answer.
func (c *Client) publishOnce(ctx context.Context, m *nats.Msg, ended, late <-chan struct{}) (sequence uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	w := waiter{0, newAwaited(1)}
	reply, err := c.send(m, w)
	if err != nil {
		return 0, err
	}
	cut := w.with.wait(ctx, ended, late)
	if came := c.answers.of(reply, w); came != nil {
		return readAck(came)
	}
	return 0, cut
}

// wait waits until all answers have come. The error says why it waits no longer.
func (t *awaited) wait(ctx context.Context, ended, late <-chan struct{}) error {
	select {
	case <-t.all:
		return nil
	case <-late:
		return context.DeadlineExceeded
	case <-ended:
		return errCut
	case <-ctx.Done():
		return ctx.Err()
	}
}

// overAfter is closed when so much time has passed. A timer's own channel says so once: whoever tries again would miss it.
func overAfter(d time.Duration) (over <-chan struct{}, stop func() bool) {
	c := make(chan struct{})
	return c, time.AfterFunc(d, func() { close(c) }).Stop
}

// readAck reads the answer of a stream to a publish: where the message is stored.
func readAck(m *nats.Msg) (sequence uint64, err error) {
	if sequence, ok := plainAck(m.Data); ok {
		return sequence, nil
	}
	if len(m.Data) == 0 && m.Header.Get("Status") == noResponders {
		return 0, jetstream.ErrNoStreamResponse
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
		jetstream.PubAck
	}
	switch err := json.Unmarshal(m.Data, &answer); {
	case err != nil:
		return 0, jetstream.ErrInvalidJSAck
	case answer.Error != nil:
		return 0, answer.Error
	case answer.Stream == "":
		return 0, jetstream.ErrInvalidJSAck
	}
	return answer.Sequence, nil
}

// plainAck reads what nearly every answer is, {"stream":"EVENTS","seq":7}: a JSON decoder needs ten times as long. Whatever has another
// form is not ok, and no answer of another meaning has this one.
func plainAck(data []byte) (sequence uint64, ok bool) {
	rest, begins := bytes.CutPrefix(data, []byte(`{"stream":"`))
	stream, rest, middle := bytes.Cut(rest, []byte(`","seq":`))
	digits, ends := bytes.CutSuffix(rest, []byte(`}`))
	sequence, err := strconv.ParseUint(string(digits), 10, 64)
	return sequence, begins && middle && ends && err == nil && len(stream) > 0 && bytes.IndexByte(stream, '"') < 0
}

// noResponders is the status of the server's own answer where nobody listens.
const noResponders = "503"
