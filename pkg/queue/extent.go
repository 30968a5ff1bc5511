package queue

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// StreamSize is how much a stream holds.
type StreamSize struct {
	Stream   string // events, retries, deadletters, history, aside
	Messages uint64
	Bytes    int64
	Limit    int64 // of Bytes; 0: none
}

// Share is the part of its bound that the stream fills, 1 for all of it; 0 without a bound.
func (s StreamSize) Share() float64 {
	if s.Limit <= 0 {
		return 0
	}
	return float64(s.Bytes) / float64(s.Limit)
}

// StreamEvents is the name of EVENTS in a StreamSize.
const StreamEvents = "events"

// sized are the streams whose sizes are told, by the names in StreamSize.
var sized = [...]struct{ name, stream string }{
	{StreamEvents, eventsStream}, {"retries", retriesStream}, {"deadletters", deadStream},
	{"history", historyStream}, {"aside", asideStream},
}

// Sizes says how much each stream holds.
func (q *Queue) Sizes(ctx context.Context) ([]StreamSize, error) {
	extents, err := q.extents(ctx)
	return sizesOf(extents), err
}

func sizesOf(extents map[string]extent) []StreamSize {
	out := make([]StreamSize, len(sized))
	for i, s := range sized {
		e := extents[s.stream]
		out[i] = StreamSize{Stream: s.name, Messages: e.messages, Bytes: e.bytes, Limit: e.limit}
	}
	return out
}

// extents are those of all sized streams, by the stream.
func (q *Queue) extents(ctx context.Context) (map[string]extent, error) {
	out := map[string]extent{}
	for _, s := range sized {
		e, err := q.extent(ctx, s.stream)
		if err != nil {
			return nil, err
		}
		out[s.stream] = e
	}
	return out, nil
}

// extent is what a stream holds, from where to where.
type extent struct {
	first, last uint64 // sequences; first is last+1 when it is empty
	messages    uint64
	bytes       int64
	limit       int64     // 0: none
	at          time.Time // by the server's clock
}

func (q *Queue) extent(ctx context.Context, stream string) (extent, error) {
	s, err := q.stream(ctx, stream)
	if err != nil {
		return extent{}, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return extent{}, describe("look at "+stream, err)
	}
	return extent{
		first: info.State.FirstSeq, last: info.State.LastSeq, messages: info.State.Msgs,
		bytes: int64(info.State.Bytes), limit: max(0, info.Config.MaxBytes), at: info.TimeStamp,
	}, nil
}

// above reports whether the stream fills more than this many hundredths of its bound.
func (e extent) above(percent int64) bool { return e.limit > 0 && e.bytes > e.limit/100*percent }

// reserve is what is kept free for the events of the next seconds: a hundredth of the bound, and
// room for the largest message that the server takes.
func (e extent) reserve() int64 { return max(e.limit/100, 1<<20) }

// full reports whether the server may refuse the next message for want of room.
func (e extent) full() bool { return e.limit > 0 && e.bytes > e.limit-e.reserve() }

// cut is the sequence before which so much lies that without it the stream would hold bytes. It
// is reckoned by the mean size of a message.
func (e extent) cut(bytes int64) uint64 {
	excess := e.bytes - bytes
	if excess <= 0 || e.bytes <= 0 {
		return e.first
	}
	return e.first + uint64(float64(e.messages)*float64(excess)/float64(e.bytes)) + 1
}

// purgeTimeout bounds one purge: at 5 million subjects it takes 4 s.
const purgeTimeout = time.Minute

// purge removes every message of a stream before the sequence.
func (q *Queue) purge(ctx context.Context, stream string, upTo uint64) error {
	s, err := q.stream(ctx, stream)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, purgeTimeout)
	defer cancel()
	return describe("purge "+stream, s.Purge(ctx, jetstream.WithPurgeSequence(upTo)))
}
