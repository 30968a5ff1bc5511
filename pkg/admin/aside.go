package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// AsideQuery selects what was set aside. Zero fields select everything.
type AsideQuery struct {
	Site     string
	Reason   string
	Since    time.Time // received not before
	Until    time.Time // and before
	Sequence uint64    // this one only
	Before   uint64    // of AsidePart: only what stands before this place; 0: all
}

func (q AsideQuery) selects(s queue.Aside) bool {
	return (q.Since.IsZero() || !s.Received.Before(q.Since)) &&
		(q.Until.IsZero() || s.Received.Before(q.Until)) &&
		(q.Sequence == 0 || s.Sequence == q.Sequence)
}

// looks says what one is to the query. It came before it was stored.
func (q AsideQuery) looks(s queue.Aside) looked {
	return looked{place: s.Sequence, over: s.Stored.Before(q.Since.Add(-clockMargin)) || s.Sequence < q.Sequence, selected: q.selects(s)}
}

// Text says in words what a query selects, as the audit does.
func (q AsideQuery) Text() string {
	if q.Sequence != 0 {
		return fmt.Sprintf("number %d", q.Sequence)
	}
	return FilterText(Filter{Site: q.Site, Reason: q.Reason, Since: q.Since, Until: q.Until})
}

// Asides returns what was set aside, oldest first: at most limit of it (0 means DefaultLimit), and
// how much it is altogether.
func (a Admin) Asides(ctx context.Context, q AsideQuery, limit int) (list []queue.Aside, total int, err error) {
	return first(a.asides(ctx, q), limit)
}

// AsidePart is the newest part of what was set aside.
func (a Admin) AsidePart(ctx context.Context, q AsideQuery, limit int) (Part[queue.Aside], error) {
	p, err := partOf(a.Queue.AsidesBack(ctx, q.Site, q.Reason, q.Before), cmp.Or(limit, DefaultLimit), a.mostLookedAt(), q.looks)
	if err == nil && (q.Before > 0 || p.Older > 0) {
		p.Total, err = a.countAside(ctx, q)
	}
	return p, err
}

// countAside counts what was set aside by when it was stored, which is as a rule when it came, and reads none of it.
func (a Admin) countAside(ctx context.Context, q AsideQuery) (int, error) {
	if q.Sequence > 0 {
		p, err := partOf(a.Queue.AsidesBack(ctx, q.Site, q.Reason, q.Sequence+1), 1, 1, q.looks)
		return len(p.Rows), err
	}
	n, err := a.Queue.CountAsides(ctx, q.Site, q.Reason, q.Since)
	if err != nil || q.Until.IsZero() {
		return n, err
	}
	younger, err := a.Queue.CountAsides(ctx, q.Site, q.Reason, q.Until)
	return max(0, n-younger), err
}

func (a Admin) asides(ctx context.Context, q AsideQuery) iter.Seq2[queue.Aside, error] {
	return func(yield func(queue.Aside, error) bool) {
		for s, err := range a.Queue.Asides(ctx, q.Site, q.Reason) {
			if err == nil && !q.selects(s) {
				continue
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// Identify makes an event of what was set aside. The error says in a few words, without values,
// why it still is none.
type Identify func(queue.Aside) (event.Event, error)

// Taken is what became of what was set aside.
type Taken struct {
	Stored   int            `json:"stored"`
	Repeated int            `json:"repeated"` // known already, by another way
	Refused  int            `json:"refused"`  // still no event, left where it is
	Reasons  map[string]int `json:"reasons"`  // of those that were refused
}

// mostCalls is how many calls one id may have: the second is stored under ID~2.
const mostCalls = 9

// Take stores as events what was set aside by mistake, and removes it from where it was; links
// then take it as any event that came at that time. Another call under a known id is stored under
// its id with ~2, ~3, ... behind it. Interrupted, it can be repeated.
func (a Admin) Take(ctx context.Context, q AsideQuery, identify Identify) (Taken, error) {
	_, total, err := a.Asides(ctx, q, 1)
	if err != nil {
		return Taken{Reasons: map[string]int{}}, err
	}
	var taken Taken
	_, err = a.inBulk(ctx, AuditEntry{Verb: VerbAsideTake, On: q.Text(), Found: total}, func() (n int, err error) {
		taken, err = a.take(ctx, q, identify, total, nil)
		return taken.Stored, err
	})
	return taken, err
}

// take takes what a query selects, about total of it.
func (a Admin) take(ctx context.Context, q AsideQuery, identify Identify, total int, told bulk) (Taken, error) {
	taken := Taken{Reasons: map[string]int{}}
	seen := 0
	inHand, end := whole(ctx)
	defer end()
	for s, err := range a.asides(ctx, q) {
		if err == nil {
			err = told.next(ctx, seen, max(total, seen), taken.Stored)
		}
		if err != nil {
			return taken, err
		}
		seen++
		e, err := identify(s)
		if err != nil {
			taken.Refused++
			taken.Reasons[err.Error()]++
			continue
		}
		receipt, err := a.publishUnderFreeID(inHand, e)
		if reason := refusal(err); reason != "" {
			taken.Refused++
			taken.Reasons[string(reason)]++
			continue
		}
		if err != nil {
			return taken, fmt.Errorf("take %d: %w", s.Sequence, err)
		}
		switch receipt {
		case event.ReceiptStored:
			taken.Stored++
		case event.ReceiptRepeated, event.ReceiptErased: // nothing of it may or need be stored
			taken.Repeated++
		default: // too old, or one call too many under its id: it stays where it is
			taken.Refused++
			taken.Reasons[string(receipt)]++
			continue
		}
		if err := a.Queue.AwaitBackup(ctx); err != nil {
			return taken, err
		}
		if err := a.Queue.RemoveAside(inHand, s.Sequence); err != nil {
			return taken, fmt.Errorf("take %d: %w", s.Sequence, err)
		}
	}
	_ = told.next(ctx, seen, seen, taken.Stored) // whether more is wanted does not matter any more
	return taken, nil
}

// refusal is why no repeat can store an event, whatever becomes of the others; "" where that is not known.
func refusal(err error) calltouch.Reason {
	switch {
	case errors.Is(err, queue.ErrTooLarge):
		return calltouch.AsideTooLarge
	case errors.Is(err, event.ErrBadKey):
		return calltouch.AsideBadID
	}
	return ""
}

// publishUnderFreeID publishes an event under the first of its keys that no other call has.
func (a Admin) publishUnderFreeID(ctx context.Context, e event.Event) (event.Receipt, error) {
	id := e.Key.ID
	for n := 2; ; n++ {
		receipt, err := a.Queue.Publish(ctx, e)
		if receipt != event.ReceiptCollision || err != nil || n > mostCalls {
			return receipt, err
		}
		if e.Key, err = event.NewKey(e.Key.Site, e.Key.Kind, fmt.Sprintf("%s~%d", id, n)); err != nil {
			return "", err
		}
	}
}
