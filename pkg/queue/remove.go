package queue

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

const deleteMessage = "$JS.API.STREAM.MSG.DELETE."

// remove deletes one message by its sequence; a missing one is no error. Its bytes stay in the
// store's file until the server rewrites that.
func (q *Queue) remove(ctx context.Context, stream string, sequence uint64) error {
	return q.delete(ctx, stream, sequence, true)
}

// wipe is remove, but the bytes are overwritten in the store's file first. The server rewrites the
// whole file for that, of up to 8 MB, and takes no other writes of the stream meanwhile.
func (q *Queue) wipe(ctx context.Context, stream string, sequence uint64) error {
	return q.delete(ctx, stream, sequence, false)
}

// delete asks the server to delete a message. The library's own call loses the code of the answer.
func (q *Queue) delete(ctx context.Context, stream string, sequence uint64, keepBytes bool) error {
	what := fmt.Sprintf("remove %d of %s", sequence, stream)
	request, err := json.Marshal(map[string]any{"seq": sequence, "no_erase": keepBytes})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	m, err := q.nc.RequestWithContext(ctx, deleteMessage+stream, request)
	if err != nil {
		return describe(what, err)
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if answer.Error != nil && answer.Error.ErrorCode != codeSequenceGone {
		return describe(what, answer.Error)
	}
	return nil
}
