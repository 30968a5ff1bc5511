package admin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"time"

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

// Causes groups the dead letters that the filter selects, the most frequent cause first. It reads all that the filter
// selects.
func (a Admin) Causes(ctx context.Context, f Filter) ([]Cause, error) {
	found := map[string]*Cause{}
	for d, err := range a.Queue.DeadLetters(ctx, f) {
		if err != nil {
			return nil, err
		}
		id := CauseOf(d)
		c := found[id]
		if c == nil {
			c = &Cause{ID: id, Link: d.Link, Reason: d.Reason, Status: d.Status, First: d.Died}
			found[id] = c
		}
		c.Count++
		if !d.Died.Before(c.Last) {
			c.Last, c.Answer, c.Sample = d.Died, Mask{}.Text(d.Answer), d.Event.Key.String()
		}
		if d.Died.Before(c.First) {
			c.First = d.Died
		}
	}
	list := make([]Cause, 0, len(found))
	for _, c := range found {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(x, y Cause) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Link, y.Link), cmp.Compare(x.ID, y.ID))
	})
	return list, nil
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
