package admin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Cause is why some dead letters of one link died: their reason, status and answer are the same, but for digits, ids and
// quoted values.
type Cause struct {
	ID     string    `json:"id"` // stays while the cause is the same
	Link   string    `json:"link"`
	Reason string    `json:"reason"`
	Status int       `json:"status,omitempty"`
	Answer string    `json:"answer,omitempty"` // of the newest, masked
	Count  int       `json:"count"`
	First  time.Time `json:"first"` // died
	Last   time.Time `json:"last"`
	Sample string    `json:"sample"` // key of the newest
}

// Causes groups the dead letters that the filter selects, the most frequent cause first. Without a Board it reads all
// that the filter selects.
func (a Admin) Causes(ctx context.Context, f Filter) ([]Cause, error) {
	if a.Board != nil {
		dead, err := a.Board.deadNow(ctx)
		if err != nil {
			return nil, err
		}
		return dead.grouped(f), nil
	}
	g := grouping{}
	for d, err := range a.Queue.DeadLetters(ctx, f) {
		if err != nil {
			return nil, err
		}
		g.add(Cause{ID: CauseOf(d), Link: d.Link, Reason: d.Reason, Status: d.Status}, d.Died, Mask{}.Text(d.Answer), d.Event.Key)
	}
	return g.sorted(), nil
}

// CauseHours counts the letters of a cause that are there by the hours in which they died, the last n up to now. It
// needs the Board.
func (a Admin) CauseHours(ctx context.Context, id string, n int) ([]Hour, error) {
	if a.Board == nil {
		return nil, ErrReading
	}
	dead, err := a.Board.deadNow(ctx)
	if err != nil {
		return nil, err
	}
	return dead.died(id, a.now(), n), nil
}

// CauseOf is the id of a dead letter's cause.
func CauseOf(d queue.DeadLetter) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%s", d.Link, d.Reason, d.Status, sameWords(d.Answer)))
	return hex.EncodeToString(sum[:6])
}

// varying is what differs between two answers that say the same: ids, what is quoted, numbers.
var varying = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|"[^"]*"|'[^']*'|«[^»]*»|“[^”]*”|[0-9]+`)

// sameWords is an answer without what varies. What is quoted goes too: it is a value as a rule, and who quotes a field's
// name says it in other words as well.
func sameWords(answer string) string { return varying.ReplaceAllString(answer, "…") }

// DeadRows are the dead letters that the filter selects, oldest first and at most so many, and how many there are
// altogether; with a cause only those of it.
func (a Admin) DeadRows(ctx context.Context, f Filter, cause string, limit int) (rows []DeadLetterView, total int, err error) {
	list, total, err := a.DeadOfCause(ctx, f, cause, limit)
	for _, d := range list {
		rows = append(rows, Mask{}.DeadLetter(d))
	}
	return rows, total, err
}

// DeadOfCause is DeadLetters of one cause alone; "" is any.
func (a Admin) DeadOfCause(ctx context.Context, f Filter, cause string, limit int) (list []queue.DeadLetter, total int, err error) {
	if a.Board != nil {
		return a.Board.deadRows(ctx, a, f, cause, limit)
	}
	if cause == "" {
		return a.DeadLetters(ctx, f, limit)
	}
	return first(func(yield func(queue.DeadLetter, error) bool) {
		for d, err := range a.Queue.DeadLetters(ctx, f) {
			if err == nil && CauseOf(d) != cause {
				continue
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}, limit)
}

// grouping makes causes of letters.
type grouping map[string]*Cause

func (g grouping) add(kind Cause, died time.Time, answer string, key event.Key) {
	c := g[kind.ID]
	if c == nil {
		c = &kind
		c.First = died
		g[kind.ID] = c
	}
	c.Count++
	if !died.Before(c.Last) {
		c.Last, c.Answer, c.Sample = died, answer, key.String()
	}
	if died.Before(c.First) {
		c.First = died
	}
}

// sorted are the causes, the most frequent first.
func (g grouping) sorted() []Cause {
	list := make([]Cause, 0, len(g))
	for _, c := range slices.Collect(maps.Values(g)) {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(x, y Cause) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Link, y.Link), cmp.Compare(x.ID, y.ID))
	})
	return list
}
