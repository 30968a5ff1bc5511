package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// stored is a message as a stream keeps it.
type stored struct {
	Subject  string
	Header   nats.Header // with the server's, see ownHeader
	Data     []byte
	Sequence uint64
	Time     time.Time // of the server
}

// event reads the event of a message whose subject is prefix and key.
func (m *stored) event(prefix string) (event.Event, error) {
	e, err := readEvent(strings.TrimPrefix(m.Subject, prefix), m.Header, m.Data)
	e.Sequence, e.Stored = m.Sequence, m.Time
	return e, err
}

const (
	directGet     = "$JS.API.DIRECT.GET."
	headerPending = "Nats-Num-Pending"
)

// last reads the newest message on a subject without wildcards. ErrNotFound.
func (q *Queue) last(ctx context.Context, stream, subject string) (*stored, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	m, err := q.nc.RequestWithContext(ctx, directGet+stream+"."+subject, nil)
	if err != nil {
		return nil, err
	}
	if err := directStatus(m); err != nil {
		return nil, err
	}
	return readDirect(m)
}

// directStatus is the error in a status that came instead of a message.
func directStatus(m *nats.Msg) error {
	switch status := m.Header.Get("Status"); status {
	case "":
		return nil
	case "404":
		return ErrNotFound
	default:
		return fmt.Errorf("the server answers %s %s", status, m.Header.Get("Description"))
	}
}

// readDirect reads a message as the server's direct get sends it.
func readDirect(m *nats.Msg) (*stored, error) {
	h := m.Header
	at, err := time.Parse(time.RFC3339Nano, h.Get(jetstream.TimeStampHeaer))
	if err != nil {
		return nil, fmt.Errorf("read a stored message's time: %w", err)
	}
	seq, err := strconv.ParseUint(h.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read a stored message's sequence: %w", err)
	}
	return &stored{Subject: h.Get(jetstream.SubjectHeader), Header: h, Data: m.Data, Sequence: seq, Time: at}, nil
}

// page reads up to n messages that match filter, from the sequence on, in one request, and says
// how many more match behind the last.
func (q *Queue) page(ctx context.Context, stream, filter string, from uint64, n int) ([]*stored, uint64, error) {
	return q.batch(ctx, stream, map[string]any{"seq": max(1, from), "next_by_subj": filter, "batch": n, "max_bytes": pageBytes})
}

// batch reads the messages that a direct get asks for.
func (q *Queue) batch(ctx context.Context, stream string, what map[string]any) ([]*stored, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := json.Marshal(what)
	if err != nil {
		return nil, 0, err
	}
	inbox := q.nc.NewInbox()
	sub, err := q.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := q.nc.PublishRequest(directGet+stream, inbox, request); err != nil {
		return nil, 0, err
	}
	var out []*stored
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, 0, err
		}
		switch m.Header.Get("Status") {
		case "204": // the end
			pending, _ := strconv.ParseUint(m.Header.Get(headerPending), 10, 64)
			return out, pending, nil
		case "404": // nothing matches
			return nil, 0, nil
		case "503":
			return nil, 0, nats.ErrNoResponders
		}
		if err := directStatus(m); err != nil {
			return nil, 0, err
		}
		s, err := readDirect(m)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, s)
	}
}

// pageSize is how many messages one request of a scan brings, and pageBytes about how many bytes,
// so that the answers fit the connection's buffers.
const (
	pageSize  = 256
	pageBytes = 4 << 20
)

// scan iterates over the messages that match filter from a sequence on, in order.
func (q *Queue) scan(ctx context.Context, stream, filter string, from uint64) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		for {
			batch, more, err := q.page(ctx, stream, filter, from, pageSize)
			if err != nil {
				yield(nil, describe("read "+stream, err))
				return
			}
			for _, m := range batch {
				if !yield(m, nil) {
					return
				}
				from = m.Sequence + 1
			}
			if more == 0 || len(batch) == 0 {
				return
			}
		}
	}
}

// count says how many messages match filter and brings the oldest, nil when there is none.
func (q *Queue) count(ctx context.Context, stream, filter string, from uint64) (uint64, *stored, error) {
	batch, more, err := q.page(ctx, stream, filter, from, 1)
	if err != nil || len(batch) == 0 {
		return 0, nil, err
	}
	return more + 1, batch[0], nil
}
