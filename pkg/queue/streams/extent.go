package streams

import (
	"context"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// Size is how much a stream holds.
type Size struct {
	Stream   string // events, retries, deadletters, history, aside, audit
	Messages uint64
	Bytes    int64
	Limit    int64 // of Bytes; 0: none
}

// Share is the part of its bound that the stream fills, 1 for all of it; 0 without a bound.
func (s Size) Share() float64 {
	if s.Limit <= 0 {
		return 0
	}
	return float64(s.Bytes) / float64(s.Limit)
}

// Names of EVENTS and AUDIT in a Size.
const (
	Events = "events"
	Audit  = "audit"
)

// sized are the streams whose sizes are told, by the names in Size.
var sized = [...]struct{ name, stream string }{
	{Events, event.EventsStream}, {"retries", event.RetriesStream}, {"deadletters", event.DeadLettersStream},
	{"history", event.HistoryStream}, {"aside", event.AsideStream}, {Audit, event.AuditStream},
}

// Sizes says how much each stream holds.
func (s *Streams) Sizes(ctx context.Context) ([]Size, error) {
	extents, err := s.Extents(ctx)
	return SizesOf(extents), err
}

// SizesOf are the sizes that the extents of all streams say.
func SizesOf(extents map[string]Extent) []Size {
	out := make([]Size, len(sized))
	for i, one := range sized {
		e := extents[one.stream]
		out[i] = Size{Stream: one.name, Messages: e.Messages, Bytes: e.Bytes, Limit: e.Limit}
	}
	return out
}

// Extents are those of all sized streams, by the stream.
func (s *Streams) Extents(ctx context.Context) (map[string]Extent, error) {
	out := map[string]Extent{}
	for _, one := range sized {
		e, err := s.Extent(ctx, one.stream)
		if err != nil {
			return nil, err
		}
		out[one.stream] = e
	}
	return out, nil
}

// Extent is what a stream holds, from where to where.
type Extent struct {
	jet.Extent
	Limit int64 // of Bytes, that it is to keep; 0: none. Bound follows it as soon as there is room
}

// Extent asks for that of one stream.
func (s *Streams) Extent(ctx context.Context, stream string) (Extent, error) {
	held, err := s.jet.Extent(ctx, stream)
	e := Extent{Extent: held, Limit: held.Bound}
	if stream == event.HistoryStream {
		e.Limit = min(e.Bound, wantedBytes(s.opts, stream))
	}
	return e, err
}

// SameAs reports whether nothing came and nothing went between the two.
func (e Extent) SameAs(o Extent) bool {
	return e.First == o.First && e.Last == o.Last && e.Messages == o.Messages
}

// Above reports whether the stream fills more than this many hundredths of its bound.
func (e Extent) Above(percent int64) bool { return e.Limit > 0 && e.Bytes > e.Limit/100*percent }

// Reserve is what is kept free for the events of the next seconds: a hundredth of the bound, and
// room for the largest message that the server takes.
func (e Extent) Reserve() int64 { return max(e.Limit/100, 1<<20) }

// Full reports whether the server may refuse the next message for want of room.
func (e Extent) Full() bool { return e.Limit > 0 && e.Bytes > e.Limit-e.Reserve() }

// Cut is the sequence before which so much lies that without it the stream would hold bytes. It
// is reckoned by the mean size of a message.
func (e Extent) Cut(bytes int64) uint64 {
	excess := e.Bytes - bytes
	if excess <= 0 || e.Bytes <= 0 {
		return e.First
	}
	return e.First + uint64(float64(e.Messages)*float64(excess)/float64(e.Bytes)) + 1
}

// Ready reports nil when events can be stored, or an error that says what is wrong and what to do.
func (s *Streams) Ready(ctx context.Context) error {
	return s.jet.Ready(ctx, event.EventsStream, event.RetriesStream, event.DeadLettersStream, event.HistoryStream, event.AsideStream, event.StateStream)
}
