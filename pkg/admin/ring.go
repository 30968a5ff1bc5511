package admin

import (
	"context"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// ring holds the newest events of the log, without their bodies, in its order. What became of them is the board's, by
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

// came remembers an event for the ring: the last ones, however many come between two looks.
func (own *readerOwn) came(row ringRow) {
	if own.fresh = append(own.fresh, row); len(own.fresh) > 2*ringMost {
		own.fresh = slices.Clone(own.fresh[len(own.fresh)-ringMost-ringSlack-1:]) // so many that the ring lets all before them go
	}
}

// rowOf is an event as the ring holds it: nothing of its body but the number.
func (a Admin) rowOf(e event.Event) ringRow {
	row := ringRow{place: e.Sequence, event: e, caller: a.Caller(e, Mask{})}
	row.event.Body, row.event.Query, row.event.Fingerprint = nil, "", event.Fingerprint{}
	return row
}

// readNewest reads the newest events of the log, about so many, and reports whether those are all.
func (s *Board) readNewest(ctx context.Context, a Admin, b *board, most uint64) (rows []ringRow, all bool, err error) {
	end := b.mark.Events.Sequence
	held, err := a.Queue.Extent(ctx, event.EventsStream)
	if err != nil || end == 0 || held.Messages == 0 {
		return nil, true, err
	}
	from := max(held.First, end-min(end, most)+1)
	for e, err := range a.scanLog(ctx, queue.ScanOptions{From: from, Before: end + 1}) {
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, a.rowOf(e))
		if len(rows)%keepStep == 0 {
			if err := s.own.pace.WaitN(ctx, keepStep); err != nil {
				return nil, false, err
			}
		}
	}
	return rows, from == held.First, nil
}

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
func (s *Board) row(r ringRow, links []linkInfo) Row {
	row, _ := linkOutcomes{links, s.b.outcomes(s.sums.waits)}.row(r.event) // the board knows or does not, it cannot fail
	row.Caller = r.caller
	return row
}

// newest are the newest events that a query selects that asks for no outcome. Only the ring is looked at: the total is
// Uncounted where the log goes further back.
func (s *Board) newest(ctx context.Context, a Admin, q EventQuery, links []linkInfo) ([]Row, int, error) {
	if err := s.fresh(ctx); err != nil {
		return nil, 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.b == nil {
		return nil, 0, s.readingErr()
	}
	var rows []Row
	total, complete := 0, s.ring.whole
	for _, r := range slices.Backward(s.ring.rows) {
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
			rows = append(rows, s.row(r, links))
		}
	}
	slices.Reverse(rows)
	if !complete {
		total = Uncounted
	}
	return rows, total, nil
}

// follower is one who follows the newest events.
type follower struct {
	rows chan Row
	lost atomic.Int64 // rows that came while nobody took them
}

// rowsToTell are the rows of what came and of what has changed. mu is held.
func (s *Board) rowsToTell(fresh []ringRow, touched map[uint64]bool) []Row {
	if len(s.ring.followers) == 0 {
		return nil
	}
	for _, row := range fresh {
		touched[row.place] = true
	}
	places := make([]uint64, 0, len(touched))
	for place := range touched {
		places = append(places, place)
	}
	slices.Sort(places)
	var rows []Row
	for _, place := range places[max(0, len(places)-followMost):] {
		if r, there := s.ring.at(place); there {
			rows = append(rows, s.row(r, s.links))
		}
	}
	return rows
}

// tell gives rows to all who follow. Who does not take them loses them.
func (s *Board) tell(rows []Row) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for f := range s.ring.followers {
		for _, row := range rows {
			select {
			case f.rows <- row:
			default:
				f.lost.Add(1)
			}
		}
	}
}

// follow tells of each new event that the query selects, and again when an outcome of it changes, until ctx ends.
func (s *Board) follow(ctx context.Context, q EventQuery, links []linkInfo, show func(Row) error) error {
	f := &follower{rows: make(chan Row, followMost)}
	s.mu.Lock()
	if s.ring.followers == nil {
		s.ring.followers = map[*follower]struct{}{}
	}
	s.ring.followers[f] = struct{}{}
	s.mu.Unlock()
	s.reads.poke()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.ring.followers, f)
	}()
	t := tail{show: show, outcome: q.Outcome}
	q.Outcome = ""
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case row := <-f.rows:
			reads := q.Link == "" || slices.ContainsFunc(links, func(k linkInfo) bool { return k.reads(row.Event.Key) })
			ok, err := q.selects(row.Event, linkOutcomes{})
			if err == nil && ok && reads && row.Event.Stored.After(began.Add(-followFor)) {
				err = t.tell(row)
			}
			if err != nil {
				return err
			}
		}
	}
}
