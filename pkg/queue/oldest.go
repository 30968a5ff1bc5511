package queue

import (
	"context"
	"iter"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// bySubject reports whether the server applies all of the filter.
func (f Filter) bySubject() bool {
	return f.Reason == "" && f.Status == 0 && f.Since.IsZero() && f.Until.IsZero()
}

// oldest reads the first n messages that a filter selects, and says how many it selects in all. Where the
// server can tell, it counts them, and the rest is not read.
func oldest[T any](ctx context.Context, q *Queue, in undeliveredStream[T], f Filter, n int) (list []T, total int, err error) {
	if !f.bySubject() {
		for one, err := range in.all(ctx, f) {
			if err != nil {
				return nil, 0, err
			}
			if total++; total <= n {
				list = append(list, one)
			}
		}
		return list, total, nil
	}
	for from, more := uint64(1), uint64(1); more > 0 && len(list) < n; {
		var page []*jet.Message
		page, more, err = q.jet.Page(ctx, in.stream, in.subjects.Of(f.subject()), from, min(n-len(list), oldestPage))
		if err != nil {
			return nil, 0, jet.Describe("read "+in.stream, err)
		}
		for _, m := range page {
			if one, ok := in.read(m); ok {
				list = append(list, one)
			}
			from = m.Sequence + 1
		}
		total = len(list) + int(more)
	}
	return list, total, nil
}

// undeliveredStream is how one of RETRIES and DEADLETTERS is listed.
type undeliveredStream[T any] struct {
	stream   string
	subjects event.Subjects
	all      func(context.Context, Filter) iter.Seq2[T, error]
	read     func(*jet.Message) (T, bool)
}

// oldestPage is how many messages one request of a list brings: the server counts the rest at each.
const oldestPage = 256
