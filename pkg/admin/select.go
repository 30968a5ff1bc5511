package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Selection says what is to be replayed. Zero fields select everything, but Outcome is Dead.
type Selection struct {
	Outcome event.Outcome // Dead, Undeliverable, Filtered, Shadow, Untaken, Abandoned or Delivered
	Keys    []event.Key   // these events only; empty: all
	// Filter says which of them, by all but its Key. Reason and Status are those of the dead letter, or of
	// the newest record; the times are about when a dead letter died, or another event happened.
	Filter queue.Filter
	Cause  string // of dead letters: only those that died of this one, by its id
	// Before leaves out what has become so since then, zero: nothing. So a selection that is made again does not find what the
	// first one made so itself.
	Before time.Time
}

// Text says in words what a selection selects, as the audit does.
func (s Selection) Text() string {
	return string(cmp.Or(s.Outcome, event.Dead)) + ": " + s.which()
}

// which says the same without the outcome.
func (s Selection) which() string {
	if s.Cause != "" {
		cause := s.Cause
		s.Cause = ""
		return "cause " + cause + ", " + s.which()
	}
	if len(s.Keys) == 0 {
		return FilterText(s.Filter)
	}
	const most = 5
	var words []string
	for _, key := range s.Keys[:min(len(s.Keys), most)] {
		words = append(words, "event "+key.String())
	}
	if len(s.Keys) > most {
		words = append(words, fmt.Sprintf("%d more events", len(s.Keys)-most))
	}
	if s.Filter != (Filter{}) {
		words = append(words, FilterText(s.Filter))
	}
	return strings.Join(words, ", ")
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
// already, and one that was erased has nothing to send again.
var ErrNotReplayable = errors.New("only dead, undeliverable, filtered, shadow, untaken, abandoned and delivered events can be replayed")

// Select finds what a replay would take, dead letters in the order in which they died, other
// events in the order of the log.
func (a Admin) Select(ctx context.Context, s Selection) ([]Item, error) {
	if err := replayable(s.Outcome); err != nil {
		return nil, err
	}
	if s.Outcome == "" || s.Outcome == event.Dead {
		return a.selectDead(ctx, s)
	}
	return a.selectEvents(ctx, s)
}

// replayable reports ErrNotReplayable of an outcome that is none of those.
func replayable(o event.Outcome) error {
	switch o {
	case "", event.Dead, event.Undeliverable, event.Filtered, event.Shadow, event.Untaken, event.Abandoned, event.Delivered:
		return nil
	}
	return fmt.Errorf("%w, not %s", ErrNotReplayable, o)
}

func (a Admin) selectDead(ctx context.Context, s Selection) ([]Item, error) {
	if a.Board != nil {
		return a.Board.deadItems(ctx, s)
	}
	var items []Item
	for d, err := range a.deadLetters(ctx, s) {
		if err != nil {
			return nil, err
		}
		items = append(items, Item{Link: d.Link, Key: d.Event.Key, Outcome: event.Dead, Reason: d.Reason, Status: d.Status, Pinned: d.Pin != nil, sequence: d.Sequence})
	}
	return items, nil
}

// filters are what selects the dead letters of a selection: one filter for each event, or one for all.
func (s Selection) filters() (list []Filter) {
	f := s.Filter
	if !s.Before.IsZero() {
		f.Until = earlier(f.Until, s.Before)
	}
	if len(s.Keys) == 0 {
		return []Filter{f}
	}
	for _, f.Key = range s.Keys {
		list = append(list, f)
	}
	return list
}

// deadLetters iterates over the dead letters of a selection.
func (a Admin) deadLetters(ctx context.Context, s Selection) iter.Seq2[queue.DeadLetter, error] {
	if a.Board != nil {
		return a.Board.deadLetters(ctx, a, s)
	}
	return func(yield func(queue.DeadLetter, error) bool) {
		for _, filter := range s.filters() {
			for d, err := range a.Queue.DeadLetters(ctx, filter) {
				if err == nil && s.Cause != "" && CauseOf(d) != s.Cause {
					continue
				}
				if !yield(d, err) || err != nil {
					return
				}
			}
		}
	}
}

// selectEvents finds events by their newest outcome. Those named by key are read by themselves.
func (a Admin) selectEvents(ctx context.Context, s Selection) ([]Item, error) {
	links, err := a.chosen(ctx, s.Filter.Link)
	if err != nil {
		return nil, err
	}
	found := linkOutcomes{links, a.byKey(ctx)}
	events := a.named(ctx, s.Keys)
	if len(s.Keys) == 0 {
		if events, err = a.withOutcomeInOrder(ctx, s.query(), s.Outcome, &found); err != nil {
			return nil, err
		}
	}
	var items []Item
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		some, err := a.itemsOf(ctx, s, e, found)
		if err != nil {
			return nil, err
		}
		items = append(items, some...)
	}
	return items, nil
}

// query is what of a selection an event says by itself.
func (s Selection) query() EventQuery {
	return EventQuery{Link: s.Filter.Link, Site: s.Filter.Site, Kind: s.Filter.Kind, Since: s.Filter.Since, Until: s.Filter.Until}
}

// named iterates over the events with these keys.
func (a Admin) named(ctx context.Context, keys []event.Key) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for _, key := range keys {
			e, err := a.event(ctx, key)
			if err != nil {
				err = fmt.Errorf("event %s: %w", key, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// itemsOf are the items of an event: one for each link for which it has the outcome that is asked for.
func (a Admin) itemsOf(ctx context.Context, s Selection, e event.Event, found linkOutcomes) ([]Item, error) {
	var items []Item
	if !s.Before.IsZero() && e.Stored.After(s.Before) {
		return nil, nil // it came later; where no link has taken it, no record says so
	}
	for _, k := range found.links {
		if !k.reads(e.Key) {
			continue
		}
		outcome, err := found.of(e, k)
		if err != nil {
			return nil, err
		}
		if outcome != s.Outcome {
			continue
		}
		item := Item{Link: k.id, Key: e.Key, Outcome: outcome}
		selected, err := a.fillReason(ctx, s, &item)
		if err != nil {
			return nil, err
		}
		if selected {
			items = append(items, item)
		}
	}
	return items, nil
}

// fillReason fills in an item's reason and status, where the selection asks for one, and reports whether
// they, and when it became so, are what it asks for.
func (a Admin) fillReason(ctx context.Context, s Selection, item *Item) (selected bool, err error) {
	f := s.Filter
	if f.Reason == "" && f.Status == 0 && s.Before.IsZero() {
		return true, nil
	}
	records, err := a.Queue.History(ctx, item.Key)
	if err != nil {
		return false, err
	}
	if r := newest(records, item.Link); r != nil {
		item.Reason, item.Status = r.Reason, r.Status
		if !s.Before.IsZero() && r.Time.After(s.Before) {
			return false, nil
		}
	}
	return (f.Reason == "" || item.Reason == f.Reason) && (f.Status == 0 || item.Status == f.Status), nil
}
