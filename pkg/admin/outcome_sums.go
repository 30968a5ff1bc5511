package admin

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// indexSums are what an index says of the events that the log holds now.
type indexSums struct {
	links   map[string]Counts
	sites   map[string]*SourceStatus
	success map[string]time.Time
	waits   map[string]map[uint64]bool // by link, the places of what is replayed
}

// sums counts the events that the log holds, those that wait in RETRIES as waiting.
func (x *outcomeIndex) sums(ctx context.Context, retries []queue.Retry) (indexSums, error) {
	s := indexSums{links: map[string]Counts{}, sites: map[string]*SourceStatus{}, success: maps.Clone(x.mark.Success)}
	log, err := x.a.Queue.Extent(ctx, event.EventsStream)
	if err != nil {
		return s, err
	}
	gaps, err := x.a.Queue.Client().Gaps(ctx, event.EventsStream)
	if err != nil {
		return s, err
	}
	for _, k := range x.links {
		s.links[k.id] = Counts{}
	}
	gone := map[uint64]map[uint64]bool{} // by block
	for _, place := range gaps {
		if gone[place/blockSize] == nil {
			gone[place/blockSize] = map[uint64]bool{}
		}
		gone[place/blockSize][place] = true
	}
	if s.waits, err = x.waiting(ctx, retries); err != nil {
		return s, err
	}
	for n := log.First / blockSize; log.Messages > 0 && n <= x.mark.Events.Sequence/blockSize; n++ {
		part, err := x.sumsOf(ctx, n, max(log.First, n*blockSize), gone[n])
		if err != nil {
			return s, err
		}
		s.add(part)
	}
	return s, x.countWaiting(ctx, &s, func(place uint64) bool { return place >= log.First && !gone[place/blockSize][place] })
}

// add adds what a block counts.
func (s *indexSums) add(part *blockSums) {
	for id, c := range part.links {
		all := s.links[id]
		all.sum(c)
		s.links[id] = all
	}
	for id, some := range part.sites {
		site := s.sites[id]
		if site == nil {
			site = &SourceStatus{Site: id, Last: map[event.Origin]time.Time{}}
			s.sites[id] = site
		}
		site.Events += some.Events
		for origin, at := range some.Last {
			if at.After(site.Last[origin]) {
				site.Last[origin] = at
			}
		}
	}
}

// countWaiting counts as waiting what is replayed, and what died or was filtered before no longer as that.
func (x *outcomeIndex) countWaiting(ctx context.Context, s *indexSums, held func(uint64) bool) error {
	for id, places := range s.waits {
		c := s.links[id]
		for place := range places {
			block, err := x.block(ctx, place/blockSize)
			if err != nil {
				return err
			}
			if code := block.at(id, place); code != 0 && held(place) {
				c.add(outcomeWords[code&^unrecorded], -1)
				c.add(event.Waiting, 1)
			}
		}
		if _, ours := s.links[id]; ours {
			s.links[id] = c
		}
	}
	return nil
}

// sumsOf counts a block, unless that was done and it has not changed since.
func (x *outcomeIndex) sumsOf(ctx context.Context, n, from uint64, gone map[uint64]bool) (*blockSums, error) {
	if p := x.blocks[n]; p != nil && p.sums != nil && p.sums.from == from && p.sums.gone == len(gone) {
		return p.sums, nil
	}
	block, err := x.block(ctx, n)
	if err != nil {
		return nil, err
	}
	held := func(i int) bool { place := n*blockSize + uint64(i); return place >= from && !gone[place] }
	sums := &blockSums{from: from, gone: len(gone), links: map[string]Counts{}, sites: map[string]*SourceStatus{}}
	for _, k := range x.links {
		var c Counts
		for i, code := range block.rows[k.id] {
			if code != 0 && held(i) {
				c.add(outcomeWords[code&^unrecorded], 1)
			}
		}
		sums.links[k.id] = c
	}
	block.countSites(sums.sites, held)
	x.mu.Lock()
	defer x.mu.Unlock()
	block.sums = sums
	return sums, nil
}

// countSites adds the events of each site, and when the newest came.
func (p *indexBlock) countSites(sites map[string]*SourceStatus, held func(int) bool) {
	for site, last := range p.last {
		s := &SourceStatus{Site: site, Last: map[event.Origin]time.Time{}}
		here := map[event.Origin]bool{}
		for i, code := range p.rows[siteRow(site)] {
			if code == 0 || !held(i) {
				continue
			}
			s.Events++
			if int(code) < len(origins) {
				here[origins[code]] = true
			}
		}
		for origin := range here {
			if at, known := last[origin]; known {
				s.Last[origin] = at
			}
		}
		if s.Events > 0 {
			sites[site] = s
		}
	}
}

// waiting are the places of the events that RETRIES holds, by link, where the index says otherwise: what is
// replayed. One that a record settled counts as gone: it is there only
// because its acknowledgement was lost or is on its way.
func (x *outcomeIndex) waiting(ctx context.Context, retries []queue.Retry) (map[string]map[uint64]bool, error) {
	waits, asked := map[string]map[uint64]bool{}, map[waitKey]bool{}
	for _, r := range retries {
		place := r.Event.Sequence
		if place == 0 {
			var err error
			if place, err = x.a.placeOf(ctx, r.Event.Key); err != nil {
				return nil, err
			}
		}
		block, err := x.block(ctx, place/blockSize)
		if err != nil {
			return nil, err
		}
		if block.at(r.Link, place)&^unrecorded == codeOf(event.Waiting) {
			continue
		}
		settled, err := x.settledBefore(ctx, r)
		if err != nil {
			return nil, err
		}
		if asked[waitKey{r.Link, r.Sequence}] = settled; settled {
			continue
		}
		if waits[r.Link] == nil {
			waits[r.Link] = map[uint64]bool{}
		}
		waits[r.Link][place] = true
	}
	x.settled = asked
	return waits, nil
}

// waitKey is a message of RETRIES.
type waitKey struct {
	link     string
	sequence uint64
}

// settledBefore reports whether a message that RETRIES holds was settled. HISTORY is asked once, and again when a record
// has come of it: a thousand replayed events that wait would be a thousand questions at each look.
func (x *outcomeIndex) settledBefore(ctx context.Context, r queue.Retry) (bool, error) {
	if settled, asked := x.settled[waitKey{r.Link, r.Sequence}]; asked {
		return settled, nil
	}
	records, err := x.a.Queue.History(ctx, r.Event.Key)
	return slices.ContainsFunc(records, func(one queue.Record) bool { return one.Link == r.Link && settles(one, r.Sequence) }), err
}

// sources lists the sites of the file, then the others that the log knows.
func (s indexSums) sources(a Admin) []SourceStatus {
	var list []SourceStatus
	for _, site := range a.File.Sites {
		one := SourceStatus{Site: site.ID, Last: map[event.Origin]time.Time{}}
		if known := s.sites[site.ID]; known != nil {
			one = *known
		}
		one.Name = site.Name
		list = append(list, one)
	}
	for _, id := range slices.Sorted(maps.Keys(s.sites)) {
		if a.File.Site(id) == nil {
			list = append(list, *s.sites[id])
		}
	}
	return list
}

// count is what the index says now.
func (a Admin) count(ctx context.Context) (indexSums, error) {
	_, sums, err := a.counted(ctx)
	return sums, err
}

// counted is an index of now, and what it says.
func (a Admin) counted(ctx context.Context) (*outcomeIndex, indexSums, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, indexSums{}, err
	}
	retries, err := a.retriesNow(ctx) // before HISTORY: what is settled in between counts as waiting
	if err != nil {
		return nil, indexSums{}, err
	}
	for {
		x, err := a.readIndex(ctx, links)
		if err != nil {
			return nil, indexSums{}, err
		}
		sums, err := x.sums(ctx, retries)
		if err != nil || !x.kept {
			return x, sums, err
		}
		again := newIndex(a, links)
		if err := again.load(ctx); err != nil || again.kept {
			return x, sums, err
		}
		// A worker has begun anew meanwhile, and taken parts away that were still to be read.
	}
}

// retriesNow is all that RETRIES holds, without bodies.
func (a Admin) retriesNow(ctx context.Context) ([]queue.Retry, error) {
	var retries []queue.Retry
	for r, err := range a.Queue.Retries(ctx, queue.Filter{}) {
		if err != nil {
			return nil, err
		}
		r.Event.Body = nil
		retries = append(retries, r)
	}
	return retries, nil
}
