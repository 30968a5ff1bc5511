package jet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Stream returns the library's handle on a stream, which is asked for once. ErrNotFound: it does not exist.
func (c *Client) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	c.mu.Lock()
	s, ok := c.streams[name]
	c.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := c.js.Stream(ctx, name)
	if err != nil {
		return nil, Describe("stream "+name, err)
	}
	c.mu.Lock()
	c.streams[name] = s
	c.mu.Unlock()
	return s, nil
}

// Extent is what a stream holds, from where to where.
type Extent struct {
	First, Last uint64 // sequences; First is Last+1 when it is empty
	Messages    uint64
	Bytes       int64
	Bound       int64     // of Bytes, at which the server drops or refuses; 0: none
	At          time.Time // by the server's clock
}

// Extent asks the server what a stream holds.
func (c *Client) Extent(ctx context.Context, stream string) (Extent, error) {
	s, err := c.Stream(ctx, stream)
	if err != nil {
		return Extent{}, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return Extent{}, Describe("look at "+stream, err)
	}
	return Extent{
		First: info.State.FirstSeq, Last: info.State.LastSeq, Messages: info.State.Msgs,
		Bytes: int64(info.State.Bytes), Bound: max(0, info.Config.MaxBytes), At: info.TimeStamp,
	}, nil
}

// LastSequence is the sequence of the newest message that a stream has taken.
func (c *Client) LastSequence(ctx context.Context, stream string) (uint64, error) {
	e, err := c.Extent(ctx, stream)
	return e.Last, err
}

// Gaps are the sequences of messages that were removed from between others.
func (c *Client) Gaps(ctx context.Context, stream string) ([]uint64, error) {
	s, err := c.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	info, err := s.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return nil, Describe("look at "+stream, err)
	}
	return info.State.Deleted, nil
}

// purgeTimeout bounds one purge: at 5 million subjects it takes 4 s.
const purgeTimeout = time.Minute

// Purge removes every message of a stream before the sequence.
func (c *Client) Purge(ctx context.Context, stream string, upTo uint64) error {
	s, err := c.Stream(ctx, stream)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, purgeTimeout)
	defer cancel()
	return Describe("purge "+stream, s.Purge(ctx, jetstream.WithPurgeSequence(upTo)))
}

const deleteMessage = "$JS.API.STREAM.MSG.DELETE."

// Remove deletes one message by its sequence; a missing one is no error. Its bytes stay in the
// store's file until the server rewrites that.
func (c *Client) Remove(ctx context.Context, stream string, sequence uint64) error {
	return c.delete(ctx, stream, sequence, bytesStay)
}

// Wipe is Remove, but the bytes are overwritten in the store's file first. The server rewrites the
// whole file for that, of up to 8 MB, and takes no other writes of the stream meanwhile.
func (c *Client) Wipe(ctx context.Context, stream string, sequence uint64) error {
	return c.delete(ctx, stream, sequence, bytesWiped)
}

// bytesOf says what becomes of the bytes of a message that is deleted.
type bytesOf int

const (
	bytesStay bytesOf = iota
	bytesWiped
)

// delete asks the server to delete a message. The library's own call loses the code of the answer.
func (c *Client) delete(ctx context.Context, stream string, sequence uint64, bytes bytesOf) error {
	what := fmt.Sprintf("remove %d of %s", sequence, stream)
	request, err := json.Marshal(map[string]any{"seq": sequence, "no_erase": bytes == bytesStay})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	m, err := c.nc.RequestWithContext(ctx, deleteMessage+stream, request)
	if err != nil {
		return Describe(what, err)
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if answer.Error == nil || c.wasRemoved(ctx, stream, sequence, answer.Error.ErrorCode) {
		return nil
	}
	return Describe(what, answer.Error)
}

// wasRemoved reports whether a refused removal means that the message is not there any more: somebody was
// faster. Two of the codes say so; the third stands for whatever went wrong in the store.
func (c *Client) wasRemoved(ctx context.Context, stream string, sequence uint64, refusal jetstream.ErrorCode) bool {
	switch refusal {
	case codeSequenceNotFound, codeNoMessageFound:
		return true
	case codeDeleteFailed:
		_, err := c.direct(ctx, stream, getRequest{Sequence: sequence})
		return errors.Is(err, ErrNotFound)
	}
	return false
}
