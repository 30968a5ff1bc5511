package queue

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"
)

// anything matches the subjects of every message of a stream.
const anything = ">"

// next reads the first message at or behind a sequence that matches filter. ErrNotFound. Unlike
// page it does not let the server count the rest, for which publishes would wait at millions of
// subjects.
func (q *Queue) next(ctx context.Context, stream, filter string, from uint64) (*stored, error) {
	return q.direct(ctx, stream, map[string]any{"seq": max(1, from), "next_by_subj": filter})
}

// nextSince reads the first message that matches filter and was stored at t or later. ErrNotFound.
func (q *Queue) nextSince(ctx context.Context, stream, filter string, t time.Time) (*stored, error) {
	return q.direct(ctx, stream, map[string]any{"start_time": t.UTC(), "next_by_subj": filter})
}

// direct reads one message.
func (q *Queue) direct(ctx context.Context, stream string, what map[string]any) (*stored, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	m, err := q.nc.RequestWithContext(ctx, directGet+stream, request)
	if err == nil {
		err = directStatus(m)
	}
	if err != nil {
		return nil, describe("read "+stream, err)
	}
	return readDirect(m)
}

// forward iterates over the messages that match filter from a sequence on. The first one comes
// alone: as a rule it is the only one that is asked for.
func (q *Queue) forward(ctx context.Context, stream, filter string, from uint64) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		m, err := q.next(ctx, stream, filter, from)
		if errors.Is(err, ErrNotFound) {
			return
		}
		if err != nil || !yield(m, nil) {
			if err != nil {
				yield(nil, err)
			}
			return
		}
		for m, err := range q.scan(ctx, stream, filter, m.Sequence+1) {
			if !yield(m, err) {
				return
			}
		}
	}
}

// sequenceAt is the sequence of the first message that was stored at t or later, or else after,
// which is one past the last that there is.
func (q *Queue) sequenceAt(ctx context.Context, stream string, t time.Time, after uint64) (uint64, error) {
	m, err := q.nextSince(ctx, stream, anything, t)
	if errors.Is(err, ErrNotFound) {
		return after, nil
	}
	if err != nil {
		return 0, err
	}
	return min(m.Sequence, after), nil
}

// lastBefore reads the last message between first and before, not including before. ErrNotFound.
// There may be gaps, so it looks ever further back.
func (q *Queue) lastBefore(ctx context.Context, stream string, first, before uint64) (*stored, error) {
	for back := uint64(1); ; back *= 16 {
		from := max(first, before-min(before, back))
		var last *stored
		for m, err := range q.forward(ctx, stream, anything, from) {
			if err != nil {
				return nil, err
			}
			if m.Sequence >= before {
				break
			}
			last = m
		}
		if last != nil {
			return last, nil
		}
		if from <= first {
			return nil, ErrNotFound
		}
	}
}
