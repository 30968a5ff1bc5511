package admin

import (
	"context"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/queue"
)

// standing is how links stand, as the server says.
type standing struct {
	at     time.Time
	links  []LinkStatus
	sizes  []queue.StreamSize
	causes []Cause
	whole  bool // causes are of all dead letters; false: these are still being read
	alerts []Attention
	err    error
}

// standNow asks the server how links stand.
func (b *Board) standNow(ctx context.Context) error {
	a := b.desk()
	now := standing{at: time.Now()}
	now.links, now.err = a.Links(ctx)
	if now.err == nil {
		now.sizes, now.err = a.Queue.Sizes(ctx)
	}
	if now.err == nil {
		now.alerts, now.err = a.alerts(ctx)
	}
	if now.err == nil && b.dead.whole.Load() {
		now.err = b.dead.refresh(ctx, a.Queue, nil)
		now.causes, now.whole = b.dead.grouped(Filter{}), true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.err != nil {
		b.stand.err = now.err
		return now.err
	}
	b.stand = now
	return nil
}

// Standing is how links and sites stand.
type Standing struct {
	At        time.Time
	Read      float64        // share of what there is to read that was read; below 1 outcomes and sites are not known yet
	Links     []LinkStatus   // with their outcomes, where these are known
	Sites     []SourceStatus // where they are known
	Sizes     []queue.StreamSize
	Attention []Attention
}

// Standing says how links and sites stand, by the Board where there is one.
func (a Admin) Standing(ctx context.Context) (Standing, error) {
	if a.Board != nil {
		return a.Board.Standing(ctx)
	}
	links, sites, err := a.LinksWithOutcomes(ctx)
	return Standing{At: a.now(), Read: 1, Links: links, Sites: sites}, err
}

// Latest is Standing as it was asked for last, standLimit ago at most: for a program, which asks again and again and does not wait.
// While the dead letters are still being read that is ErrReading: it would take none that is known for none that there is.
func (a Admin) Latest(ctx context.Context) (Standing, error) {
	b := a.Board
	if b == nil {
		return a.Standing(ctx)
	}
	if !b.known() {
		now, err := b.Standing(ctx)
		if err == nil && !b.known() {
			err = ErrReading
		}
		return now, err
	}
	if err := b.away(); err != nil {
		return Standing{}, err
	}
	return b.shown()
}

// known reports whether the standing that is there says all, and is not too old.
func (b *Board) known() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.stand.whole && time.Since(b.stand.at) <= standLimit
}

// Standing gives it as of a moment ago; where that is too long ago, it is asked for.
func (b *Board) Standing(ctx context.Context) (Standing, error) {
	watched := b.watched()
	b.asked.Store(time.Now().UnixNano())
	if err := b.away(); err != nil {
		return Standing{}, err
	}
	b.mu.RLock()
	old, never := time.Since(b.stand.at) > standLimit, b.stand.at.IsZero()
	b.mu.RUnlock()
	if old && !never { // nothing can be shown without it: a server that is slow is waited for, a first reading is said to go on
		_ = b.stands.await(ctx)
	}
	if old || !watched { // who comes back in the morning does not see the evening
		b.Refresh(ctx)
	}
	return b.shown()
}

func (b *Board) shown() (Standing, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	now := b.stand
	if time.Since(now.at) > standLimit {
		if now.err == nil {
			now.err = ErrReading
		}
		return Standing{}, now.err
	}
	a := b.desk()
	out := Standing{At: now.at, Read: b.Share(), Links: slices.Clone(now.links), Sizes: now.sizes}
	if b.index != nil {
		for i := range out.Links {
			c, counted := b.sums.links[out.Links[i].ID]
			if !counted {
				continue
			}
			out.Links[i].Outcomes = &c
			if t, ok := b.sums.success[out.Links[i].ID]; ok {
				out.Links[i].Success = &t
			}
		}
		out.Sites = b.sums.sources(a)
	}
	out.Attention = b.seen.dated(out.attention(now.causes, now.alerts), now.at)
	return out, nil
}
