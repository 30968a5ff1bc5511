package app

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// FieldUse says how often one field of the vocabulary came in the events of one site.
type FieldUse struct {
	Field calltouch.Field
	Came  int       // events in which it was not nil
	Of    int       // events whose kind can have it
	Last  any       // its newest value; personal where Field.Personal says so
	At    time.Time // when the newest value was stored
}

// maxScanned bounds how many events CountFields reads: enough to see what is ticked, a second of work.
const maxScanned = 50_000

// CountFields counts the fields of the stored events of one site that were stored since a moment, in
// the order of the vocabulary. A field with Of above 0 that never came is unticked in Calltouch
// rather than empty. Only selects the events that count; nil means all.
func CountFields(ctx context.Context, q *queue.Queue, site *link.Site, since time.Time, only func(event.Event) bool) ([]FieldUse, error) {
	uses := make([]FieldUse, 0)
	for _, f := range calltouch.Vocabulary() {
		uses = append(uses, FieldUse{Field: f})
	}
	scanned := 0
	for e, err := range q.Events(ctx, queue.ScanOptions{Subjects: siteSubjects(site.ID), Since: since}) {
		if err != nil {
			return nil, err
		}
		if only != nil && !only(e) {
			continue
		}
		if scanned++; scanned > maxScanned {
			break
		}
		fields, err := calltouch.Parse(e, site.View())
		if err != nil {
			continue // an unreadable body has no fields; `explain` says what is wrong with it
		}
		for i := range uses {
			uses[i].count(fields, e.Stored, string(e.Key.Kind))
		}
	}
	return uses, nil
}

func (u *FieldUse) count(fields calltouch.Fields, stored time.Time, kind string) {
	possible := false
	for _, k := range u.Field.Kinds {
		possible = possible || string(k) == kind
	}
	if !possible {
		return
	}
	u.Of++
	value := fields[u.Field.Name]
	if attrs, ok := value.(map[string]string); value == nil || ok && len(attrs) == 0 {
		return
	}
	u.Came++
	u.Last, u.At = value, stored
}

func siteSubjects(id string) []string {
	subjects := make([]string, 0, len(event.Kinds))
	for _, k := range event.Kinds {
		subjects = append(subjects, queue.EventSubject(id, k))
	}
	return subjects
}
