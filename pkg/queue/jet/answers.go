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
	at int
	to chan<- answer // has room for all of them
}

// answer is what came to the publish at a place among those that wait together.
type answer struct {
	at int
	m  *nats.Msg
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

// forget says that nobody waits for an answer any more. It may come yet, so that its subject is nobody else's.
func (a *answers) forget(subject string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, subject)
}

// take hands an answer to who waits for it.
func (a *answers) take(m *nats.Msg) {
	a.mu.Lock()
	w, waits := a.waiting[m.Subject]
	if waits {
		delete(a.waiting, m.Subject)
		a.free = append(a.free, m.Subject)
	}
	a.mu.Unlock()
	if waits {
		w.to <- answer{w.at, m}
	}
}

// publishOnce sends a message to a stream and waits for its answer.
func (c *Client) publishOnce(ctx context.Context, m *nats.Msg, ended <-chan struct{}, late <-chan time.Time) (sequence uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	came := make(chan answer, 1)
	reply, err := c.send(m, waiter{to: came})
	if err == nil {
		select {
		case a := <-came:
			return readAck(a.m)
		case <-late:
			err = context.DeadlineExceeded
		case <-ended:
			err = errCut
		case <-ctx.Done():
			err = ctx.Err()
		}
		c.answers.forget(reply)
	}
	return 0, err
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
