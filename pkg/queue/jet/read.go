package jet

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Message is a message as a stream keeps it. Its headers hold the server's, too: see OwnHeader.
type Message = jetstream.RawStreamMsg

// The reads below ask the server's direct get themselves. With jetstreamext.GetBatch a batch whose rest does
// not come ends without an error, as if it were whole. There and with Stream.GetMsg the status of an answer
// other than 404 is lost, and GetMsg needs a handle on the stream first, which says of a missing stream what is
// said of a missing message.

const (
	directGet     = "$JS.API.DIRECT.GET."
	headerPending = "Nats-Num-Pending"
)

// getRequest is a request to direct get, see NATS ADR-31.
type getRequest struct {
	Sequence      uint64     `json:"seq,omitempty"`
	Since         *time.Time `json:"start_time,omitempty"`
	NextBySubject string     `json:"next_by_subj,omitempty"`
	Batch         int        `json:"batch,omitempty"`
	MaxBytes      int        `json:"max_bytes,omitempty"`
}

// since is a request for what matches filter and was stored at t or later.
func since(filter string, t time.Time) getRequest {
	t = t.UTC()
	return getRequest{Since: &t, NextBySubject: filter}
}

// Last reads the newest message on a subject without wildcards. ErrNotFound.
func (c *Client) Last(ctx context.Context, stream, subject string) (*Message, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	m, err := c.nc.RequestWithContext(ctx, directGet+stream+"."+subject, nil)
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
func readDirect(m *nats.Msg) (*Message, error) {
	h := m.Header
	at, err := time.Parse(time.RFC3339Nano, h.Get(jetstream.TimeStampHeaer))
	if err != nil {
		return nil, fmt.Errorf("read a stored message's time: %w", err)
	}
	seq, err := strconv.ParseUint(h.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read a stored message's sequence: %w", err)
	}
	return &Message{Subject: h.Get(jetstream.SubjectHeader), Header: h, Data: m.Data, Sequence: seq, Time: at}, nil
}

// Page reads up to n messages that match filter, from the sequence on, in one request, and says
// how many more match behind the last.
func (c *Client) Page(ctx context.Context, stream, filter string, from uint64, n int) ([]*Message, uint64, error) {
	return c.batch(ctx, stream, getRequest{Sequence: max(1, from), NextBySubject: filter, Batch: n, MaxBytes: pageBytes})
}

// batch reads the messages that a direct get asks for.
func (c *Client) batch(ctx context.Context, stream string, what getRequest) ([]*Message, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	request, err := json.Marshal(what)
	if err != nil {
		return nil, 0, err
	}
	inbox := c.nc.NewInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := c.nc.PublishRequest(directGet+stream, inbox, request); err != nil {
		return nil, 0, err
	}
	var out []*Message
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

// Scan iterates over the messages that match filter from a sequence on, in order.
func (c *Client) Scan(ctx context.Context, stream, filter string, from uint64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for {
			batch, more, err := c.Page(ctx, stream, filter, from, pageSize)
			if err != nil {
				yield(nil, Describe("read "+stream, err))
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

// What Back reads at once: so many places first, of sparse messages so many times more, and never more messages than that.
const (
	backFirst  = 256
	backGrowth = 8
	backMost   = 1024
)

// Back iterates over the messages that match filter before a sequence, 0 is the end, the newest first. It reads windows from the end back:
// who wants the newest few reads little more than these.
func (c *Client) Back(ctx context.Context, stream, filter string, before uint64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		held, err := c.Extent(ctx, stream)
		if err != nil {
			yield(nil, err)
			return
		}
		end := held.Last + 1
		if before > 0 {
			end = min(end, before)
		}
		for size := uint64(backFirst); end > held.First; {
			from := max(held.First, end-min(end, size))
			list, whole, err := c.window(ctx, stream, filter, from, end)
			if err != nil {
				yield(nil, Describe("read "+stream, err))
				return
			}
			if !whole {
				size /= backGrowth
				continue
			}
			for _, m := range slices.Backward(list) {
				if !yield(m, nil) {
					return
				}
			}
			if end = from; len(list) < pageSize {
				size *= backGrowth
			}
		}
	}
}

// window reads the messages that match filter from one sequence up to, not including, another. It is not whole where these are more than
// backMost, which the smallest window has no room for.
func (c *Client) window(ctx context.Context, stream, filter string, from, end uint64) (list []*Message, whole bool, err error) {
	for size := end - from; ; {
		page, more, err := c.Page(ctx, stream, filter, from, pageSize)
		if err != nil {
			return nil, false, err
		}
		for _, m := range page {
			if m.Sequence >= end {
				return list, true, nil
			}
			list, from = append(list, m), m.Sequence+1
		}
		switch {
		case more == 0 || len(page) == 0 || from >= end:
			return list, true, nil
		case len(list) > backMost && size > backFirst:
			return nil, false, nil
		}
	}
}

// Count says how many messages match filter and brings the oldest, nil when there is none.
func (c *Client) Count(ctx context.Context, stream, filter string, from uint64) (uint64, *Message, error) {
	batch, more, err := c.Page(ctx, stream, filter, from, 1)
	if err != nil || len(batch) == 0 {
		return 0, nil, err
	}
	return more + 1, batch[0], nil
}

// CountSince says how many messages match filter and were stored at t or later.
func (c *Client) CountSince(ctx context.Context, stream, filter string, t time.Time) (uint64, error) {
	what := since(filter, t)
	what.Batch = 1
	batch, more, err := c.batch(ctx, stream, what)
	return uint64(len(batch)) + more, err
}

// Anything matches the subjects of every message of a stream.
const Anything = ">"

// Next reads the first message at or behind a sequence that matches filter. ErrNotFound. Unlike
// Page it does not let the server count the rest, for which publishes would wait at millions of
// subjects.
func (c *Client) Next(ctx context.Context, stream, filter string, from uint64) (*Message, error) {
	return c.direct(ctx, stream, getRequest{Sequence: max(1, from), NextBySubject: filter})
}

// NextSince reads the first message that matches filter and was stored at t or later. ErrNotFound.
func (c *Client) NextSince(ctx context.Context, stream, filter string, t time.Time) (*Message, error) {
	return c.direct(ctx, stream, since(filter, t))
}

// direct reads one message.
func (c *Client) direct(ctx context.Context, stream string, what getRequest) (*Message, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	request, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	m, err := c.nc.RequestWithContext(ctx, directGet+stream, request)
	if err == nil {
		err = directStatus(m)
	}
	if err != nil {
		return nil, Describe("read "+stream, err)
	}
	return readDirect(m)
}
