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
	waiting map[string]chan *nats.Msg // by the subject of the answer
}

// expect returns the subject for an answer, and where it will come.
func (a *answers) expect(nc *nats.Conn) (subject string, answer <-chan *nats.Msg, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.inbox == "" {
		inbox := nc.NewInbox() + "."
		if _, err := nc.Subscribe(inbox+"*", a.take); err != nil {
			return "", nil, err
		}
		a.inbox, a.waiting = inbox, map[string]chan *nats.Msg{}
	}
	a.last++
	subject = a.inbox + strconv.FormatUint(a.last, 36)
	waits := make(chan *nats.Msg, 1)
	a.waiting[subject] = waits
	return subject, waits, nil
}

// forget says that nobody waits for an answer any more.
func (a *answers) forget(subject string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, subject)
}

// take hands an answer to who waits for it.
func (a *answers) take(m *nats.Msg) {
	a.mu.Lock()
	waits := a.waiting[m.Subject]
	delete(a.waiting, m.Subject)
	a.mu.Unlock()
	if waits != nil {
		waits <- m // the first for this subject, for which there is room
	}
}

// publishOnce sends a message to a stream and waits for its answer.
func (c *Client) publishOnce(ctx context.Context, m *nats.Msg, ended <-chan struct{}, late <-chan time.Time) (sequence uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	reply, answer, err := c.answers.expect(c.nc)
	if err != nil {
		return 0, err
	}
	err = c.nc.PublishMsg(&nats.Msg{Subject: m.Subject, Reply: reply, Header: m.Header, Data: m.Data})
	if err == nil {
		select {
		case a := <-answer:
			return readAck(a)
		case <-late:
			err = context.DeadlineExceeded
		case <-ended:
			err = errCut
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	c.answers.forget(reply)
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
