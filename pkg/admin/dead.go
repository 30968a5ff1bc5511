package admin

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// deadIndex is an index over DEADLETTERS: of each letter who died, when and of what. It follows the stream: what came
// is read, what has gone is asked for by number. One reads the stream at a time, and nobody who asks the index waits for that one.
type deadIndex struct {
	reading *semaphore.Weighted // of one
	read    uint64              // up to this sequence; of who reads
	whole   atomic.Bool         // it was read once

	mu      sync.Mutex // of the rest
	order   []uint64
	letters map[uint64]deadEntry
	causes  map[string]*deadCause
}

func newDeadIndex() *deadIndex { return &deadIndex{reading: semaphore.NewWeighted(1)} }

// deadEntry is a letter.
type deadEntry struct {
	key    event.Key
	died   time.Time
	answer string // masked
	pinned bool
	cause  *deadCause
}

// deadCause is what letters have in common.
type deadCause struct {
	id, link, reason string
	status, letters  int
}

// refresh brings the index up to now, or ends with ctx. pace, where not nil, is held while it reads.
func (x *deadIndex) refresh(ctx context.Context, q *queue.Queue, pace *rate.Limiter) error {
	if err := x.reading.Acquire(ctx, 1); err != nil {
		return err
	}
	defer x.reading.Release(1)
	held, err := q.Extent(ctx, event.DeadLettersStream)
	if err != nil {
		return err
	}
	if x.letters == nil || held.Last < x.read { // it is another stream
		x.begin()
	}
	if held.Last > x.read {
		if err := x.readOn(ctx, q, held.Last, pace); err != nil {
			return err
		}
	}
	if err := x.forget(ctx, q, held.Last); err != nil {
		return err
	}
	x.whole.Store(true)
	return nil
}

// begin empties the index.
func (x *deadIndex) begin() {
	x.whole.Store(false)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.read, x.order, x.letters, x.causes = 0, nil, map[uint64]deadEntry{}, map[string]*deadCause{}
}

// readOn reads what came since, up to the last sequence at least.
func (x *deadIndex) readOn(ctx context.Context, q *queue.Queue, last uint64, pace *rate.Limiter) error {
	n := 0
	for d, err := range q.DeadLettersFrom(ctx, x.read+1) {
		if err != nil {
			return err
		}
		x.add(d)
		if n++; pace != nil && n%keepStep == 0 {
			if err := pace.WaitN(ctx, keepStep); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	x.read = max(x.read, last) // the newest may have gone before it was read
	return nil
}

func (x *deadIndex) add(d queue.DeadLetter) {
	x.read = max(x.read, d.Sequence)
	id, answer := CauseOf(d), Mask{}.Text(d.Answer)
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.causes[id]
	if c == nil {
		c = &deadCause{id: id, link: d.Link, reason: d.Reason, status: d.Status}
		x.causes[id] = c
	}
	c.letters++
	x.order = append(x.order, d.Sequence)
	x.letters[d.Sequence] = deadEntry{d.Event.Key, d.Died, answer, d.Pin != nil, c}
}

// forget lets go of what has gone. The numbers are asked for where the count says that something has.
func (x *deadIndex) forget(ctx context.Context, q *queue.Queue, last uint64) error {
	held, err := q.Extent(ctx, event.DeadLettersStream)
	if err != nil || held.Messages == uint64(len(x.letters)) && held.Last == last {
		return err
	}
	gaps, err := q.Client().Gaps(ctx, event.DeadLettersStream)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	before := len(x.letters)
	for _, sequence := range gaps {
		x.remove(sequence)
	}
	for _, sequence := range x.order {
		if sequence >= held.First {
			break
		}
		x.remove(sequence)
	}
	if len(x.letters) < before {
		x.order = slices.DeleteFunc(x.order, func(sequence uint64) bool { _, there := x.letters[sequence]; return !there })
	}
	return nil
}

// remove lets go of a letter. mu is held.
func (x *deadIndex) remove(sequence uint64) {
	one, there := x.letters[sequence]
	if !there {
		return
	}
	delete(x.letters, sequence)
	if one.cause.letters--; one.cause.letters == 0 {
		delete(x.causes, one.cause.id)
	}
}

// selected iterates over the letters that a filter selects, of one cause where it is named, in their order. mu is held.
func (x *deadIndex) selected(f Filter, cause string) iter.Seq2[uint64, deadEntry] {
	return func(yield func(uint64, deadEntry) bool) {
		for _, sequence := range x.order {
			one := x.letters[sequence]
			c := one.cause
			if cause != "" && c.id != cause || f.Link != "" && c.link != f.Link || !f.About(one.key) || !f.Match(c.reason, c.status, one.died) {
				continue
			}
			if !yield(sequence, one) {
				return
			}
		}
	}
}

// grouped are the causes of the letters that a filter selects.
func (x *deadIndex) grouped(f Filter) []Cause {
	x.mu.Lock()
	defer x.mu.Unlock()
	g := grouping{}
	for _, one := range x.selected(f, "") {
		c := one.cause
		g.add(Cause{ID: c.id, Link: c.link, Reason: c.reason, Status: c.status}, one.died, one.answer, one.key)
	}
	return g.sorted()
}

// found are the letters that a filter selects, of one cause where it is named: the first so many, and how many there are.
func (x *deadIndex) found(f Filter, cause string, limit int) (sequences []uint64, total int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for sequence := range x.selected(f, cause) {
		if total++; limit == 0 || total <= limit {
			sequences = append(sequences, sequence)
		}
	}
	return sequences, total
}

// died counts the letters of a cause by the hours in which they died, the last n up to now.
func (x *deadIndex) died(cause string, now time.Time, n int) []Hour {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := make([]Hour, n)
	first := now.UTC().Truncate(time.Hour).Add(-time.Duration(n-1) * time.Hour)
	for i := range list {
		list[i] = Hour{Start: first.Add(time.Duration(i) * time.Hour), Known: true, Counts: map[event.Outcome]int{}}
	}
	for _, one := range x.selected(Filter{}, cause) {
		if i := int(one.died.Sub(first) / time.Hour); !one.died.Before(first) && i < n {
			list[i].Counts[event.Dead]++
		}
	}
	return list
}

// deadItems are the letters of a selection, as a replay takes them.
func (b *Board) deadItems(ctx context.Context, of Selection) ([]Item, error) {
	x, err := b.deadNow(ctx)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	var items []Item
	for _, f := range of.filters() {
		for sequence, one := range x.selected(f, of.Cause) {
			items = append(items, Item{
				Link: one.cause.link, Key: one.key, Outcome: event.Dead, Reason: one.cause.reason, Status: one.cause.status, Pinned: one.pinned, sequence: sequence,
			})
		}
	}
	return items, nil
}

// deadLetters iterates over the letters of a selection, which it reads as they are asked for.
func (b *Board) deadLetters(ctx context.Context, a Admin, of Selection) iter.Seq2[queue.DeadLetter, error] {
	return func(yield func(queue.DeadLetter, error) bool) {
		items, err := b.deadItems(ctx, of)
		if err != nil {
			yield(queue.DeadLetter{}, err)
			return
		}
		for part := range slices.Chunk(items, placesAtOnce) {
			sequences := make([]uint64, len(part))
			for i, item := range part {
				sequences[i] = item.sequence
			}
			letters, err := a.deadLettersAt(ctx, sequences)
			for _, d := range letters {
				if !yield(d, nil) {
					return
				}
			}
			if err != nil {
				yield(queue.DeadLetter{}, err)
				return
			}
		}
	}
}

// deadLettersAt reads letters by their sequences; those that have gone are left out.
func (a Admin) deadLettersAt(ctx context.Context, sequences []uint64) ([]queue.DeadLetter, error) {
	found := make([]queue.DeadLetter, len(sequences))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(getsAtOnce)
	for i, sequence := range sequences {
		group.Go(func() error {
			m, err := a.Queue.Client().Next(within, event.DeadLettersStream, ">", sequence)
			if errors.Is(err, queue.ErrNotFound) || err == nil && m.Sequence != sequence {
				return nil
			}
			if err == nil {
				found[i], _ = queue.ReadDeadLetter(m)
			}
			return err
		})
	}
	err := group.Wait()
	return slices.DeleteFunc(found, func(d queue.DeadLetter) bool { return d.Sequence == 0 }), err
}
