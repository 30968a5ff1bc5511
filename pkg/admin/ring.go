package admin

import (
	"context"
	"slices"
	"sort"

	"github.com/touchbox/touchbox/pkg/event"
)

// ring holds the newest events of the log, without their bodies, in its order. What became of them is the index's, by
// their places. Nothing personal is in it: the number of the caller is masked before.
type ring struct {
	rows      []ringRow
	gone      map[uint64]bool
	whole     bool // no event is older than its first
	followers map[*follower]struct{}
}

// ringRow is an event.
type ringRow struct {
	place  uint64
	event  event.Event // without its body
	caller string
}

// ringMost is how many events the ring holds, and ringSlack more before it lets the oldest go; ringFirst is how many it has before it
// has read them all.
const (
	ringMost  = 50_000
	ringSlack = ringMost / 10
	ringFirst = 1000
)

// begin takes the newest events in the place of all others.
func (r *ring) begin(rows []ringRow, all bool) {
	r.rows, r.gone, r.whole = nil, map[uint64]bool{}, all
	r.add(rows)
}

// add takes events behind those that are there.
func (r *ring) add(rows []ringRow) {
	for _, row := range rows {
		if n := len(r.rows); n == 0 || row.place > r.rows[n-1].place {
			r.rows = append(r.rows, row)
		}
	}
	if over := len(r.rows) - ringMost; over > ringSlack {
		r.rows, r.whole = slices.Clone(r.rows[over:]), false
	}
}

// forget lets go of what was removed from the log: it was erased, or, before the first that is there, purged.
func (r *ring) forget(first uint64, gaps []uint64) {
	news := len(r.rows) > 0 && r.rows[0].place < first
	for _, place := range gaps {
		news = news || !r.gone[place]
	}
	if !news {
		return
	}
	r.gone = make(map[uint64]bool, len(gaps))
	for _, place := range gaps {
		r.gone[place] = true
	}
	r.rows = slices.DeleteFunc(slices.Clone(r.rows), func(row ringRow) bool { return row.place < first || r.gone[row.place] })
}

// at is the event at a place.
func (r *ring) at(place uint64) (ringRow, bool) {
	i := sort.Search(len(r.rows), func(i int) bool { return r.rows[i].place >= place })
	if i == len(r.rows) || r.rows[i].place != place {
		return ringRow{}, false
	}
	return r.rows[i], true
}

// row is an event with its outcomes. mu is held.
func (b *Board) row(r ringRow, links []linkInfo) Row {
	row, _ := linkOutcomes{links, b.index.outcomes(b.sums.waits)}.row(r.event) // the index knows or does not, it cannot fail
	row.Caller = r.caller
	return row
}

// newest are the newest events that a query selects that asks for no outcome. Only the ring is looked at: the total is
// Uncounted where the log goes further back.
func (b *Board) newest(ctx context.Context, a Admin, q EventQuery, links []linkInfo) ([]Row, int, error) {
	if err := b.fresh(ctx); err != nil {
		return nil, 0, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.index == nil {
		return nil, 0, b.readingErr()
	}
	var rows []Row
	total, complete := 0, b.ring.whole
	for _, r := range slices.Backward(b.ring.rows) {
		if q.Link != "" && !slices.ContainsFunc(links, func(k linkInfo) bool { return k.reads(r.event.Key) }) {
			continue
		}
		if ok, err := q.selects(r.event, linkOutcomes{}); err != nil || !ok {
			if !complete && !q.Since.IsZero() && r.event.Stored.Before(q.stored()) {
				complete = true // what is older was stored before it could happen
				break
			}
			continue
		}
		if total++; len(rows) < q.Limit && (q.Before == 0 || r.place < q.Before) {
			rows = append(rows, b.row(r, links))
		}
	}
	slices.Reverse(rows)
	if !complete {
		total = Uncounted
	}
	return rows, total, nil
}
