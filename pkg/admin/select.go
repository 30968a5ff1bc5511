package admin

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Selection says what is to be replayed. Zero fields select everything, but Outcome is Dead.
type Selection struct {
	Outcome event.Outcome // Dead, Undeliverable, Filtered, Untaken or Delivered
	Link    string
	Keys    []event.Key
	Site    string
	Kind    event.Kind
	Reason  string    // of the newest record or of the dead letter
	Status  int       // of Mindbox's answer there
	Since   time.Time // a dead letter died, or another event happened, not before
	Until   time.Time // and before
}

// Item is one event of one link that a selection found.
type Item struct {
	Link    string        `json:"link"`
	Key     event.Key     `json:"-"`
	Outcome event.Outcome `json:"outcome"`
	Reason  string        `json:"reason,omitempty"`
	Status  int           `json:"status,omitempty"`
	Pinned  bool          `json:"pinned,omitempty"` // it keeps the endpoint and operation of its first attempt

	sequence uint64 // of the dead letter
}

// ErrNotReplayable reports an outcome that cannot be replayed: an event that waits is under way
// already, and one that was erased or sent in shadow has nothing to send again.
var ErrNotReplayable = errors.New("only dead, undeliverable, filtered, untaken and delivered events can be replayed")

// Select finds what a replay would take, dead letters in the order in which they died, other
// events in the order of the log.
func (a Admin) Select(ctx context.Context, s Selection) ([]Item, error) {
	switch s.Outcome {
	case "", event.Dead:
		return a.selectDead(ctx, s)
	case event.Undeliverable, event.Filtered, event.Untaken, event.Delivered:
		return a.selectEvents(ctx, s)
	}
	return nil, fmt.Errorf("%w, not %s", ErrNotReplayable, s.Outcome)
}

func (a Admin) selectDead(ctx context.Context, s Selection) ([]Item, error) {
	var items []Item
	for d, err := range a.deadLetters(ctx, s) {
		if err != nil {
			return nil, err
		}
		items = append(items, Item{Link: d.Link, Key: d.Event.Key, Outcome: event.Dead, Reason: d.Reason, Status: d.Status, Pinned: d.Pin != nil, sequence: d.Sequence})
	}
	return items, nil
}

// deadLetters iterates over the dead letters of a selection.
func (a Admin) deadLetters(ctx context.Context, s Selection) iter.Seq2[queue.DeadLetter, error] {
	filter := queue.Filter{Link: s.Link, Site: s.Site, Kind: s.Kind, Reason: s.Reason, Status: s.Status, Since: s.Since, Until: s.Until}
	return func(yield func(queue.DeadLetter, error) bool) {
		keys := s.Keys
		if len(keys) == 0 {
			keys = []event.Key{{}}
		}
		for _, key := range keys {
			filter.Key = key
			for d, err := range a.Queue.DeadLetters(ctx, filter) {
				if !yield(d, err) || err != nil {
					return
				}
			}
		}
	}
}

// selectEvents finds events by their newest outcome. Those named by key are read by themselves.
func (a Admin) selectEvents(ctx context.Context, s Selection) ([]Item, error) {
	links, err := a.chosen(ctx, s.Link)
	if err != nil {
		return nil, err
	}
	var items []Item
	if len(s.Keys) > 0 {
		of := a.byKey(ctx)
		for _, key := range s.Keys {
			e, err := a.Queue.GetEvent(ctx, key)
			if err != nil {
				return nil, fmt.Errorf("event %s: %w", key, err)
			}
			if items, err = a.itemsOf(ctx, s, e, links, of, items); err != nil {
				return nil, err
			}
		}
		return items, nil
	}
	all, err := a.outcomes(ctx, links)
	if err != nil {
		return nil, err
	}
	q := EventQuery{Link: s.Link, Site: s.Site, Kind: s.Kind, Since: s.Since, Until: s.Until}
	for e, err := range a.matching(ctx, q, links, all.of) {
		if err != nil {
			return nil, err
		}
		if items, err = a.itemsOf(ctx, s, e, links, all.of, items); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// itemsOf appends an item for each link for which the event has the outcome that is asked for.
func (a Admin) itemsOf(ctx context.Context, s Selection, e event.Event, links []known, of outcomeOf, items []Item) ([]Item, error) {
	for _, k := range links {
		if !k.reads(e.Key) {
			continue
		}
		outcome, err := of(e, k)
		if err != nil {
			return nil, err
		}
		if outcome != s.Outcome {
			continue
		}
		item := Item{Link: k.id, Key: e.Key, Outcome: outcome}
		if s.Reason != "" || s.Status != 0 {
			records, err := a.Queue.History(ctx, e.Key)
			if err != nil {
				return nil, err
			}
			if r := newest(records, k.id); r != nil {
				item.Reason, item.Status = r.Reason, r.Status
			}
			if s.Reason != "" && item.Reason != s.Reason || s.Status != 0 && item.Status != s.Status {
				continue
			}
		}
		items = append(items, item)
	}
	return items, nil
}
