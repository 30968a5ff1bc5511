package watch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// FieldUse says how often one field of the vocabulary came in the events of one site.
type FieldUse struct {
	Field calltouch.Field
	Came  int // events in which it was not nil
	Of    int // events whose kind can have it
	Last  any // its newest value; personal where Field.Personal says so
	// Unread counts the events in which it came and could not be read: attributes in a foreign spelling, a
	// device id that is none.
	Unread int
	At     time.Time // when the newest value was stored

	Hooks      int // of Of: those that a webhook brought
	cameByHook int // of Came: likewise
}

// enoughHooks is from how many hooks on a field that never came is called unticked.
const enoughHooks = 20

// Never reports whether hooks that can have the field came, and none had it: it is not ticked in Calltouch, or, after few
// hooks, has not come yet.
func (u FieldUse) Never() bool {
	return u.Hooks > 0 && u.cameByHook == 0 && !u.Field.Derived && u.Field.Origins.Has(calltouch.FromHook)
}

// Enough reports whether so many hooks came that a field which none of them had is called unticked.
func (u FieldUse) Enough() bool { return u.Hooks >= enoughHooks }

// maxScanned bounds how many events a FieldScan reads: enough to see what is ticked, a second of work.
const maxScanned = 50_000

// FieldScan selects the events whose fields are counted.
type FieldScan struct {
	Site    *link.Site
	Since   time.Time       // stored not before
	Told    queue.Told      // of how far it is; nil tells nobody
	Damaged func(event.Key) // is told of each event that cannot be read; nil: nobody is
}

// Count counts the fields of the stored events of one site, in the order of the vocabulary. A field
// with Of above 0 that never came is unticked in Calltouch rather than empty. An event that cannot be
// read is passed over.
func (f FieldScan) Count(ctx context.Context, q *queue.Queue) ([]FieldUse, error) {
	uses := make([]FieldUse, 0)
	for _, field := range calltouch.Vocabulary() {
		uses = append(uses, FieldUse{Field: field})
	}
	scanned := 0
	for e, err := range q.Events(ctx, queue.ScanOptions{Subjects: event.SubjectsOf(f.Site.ID, event.Kinds...), Since: f.Since, Told: f.told()}) {
		if errors.Is(err, event.ErrDamaged) || errors.Is(err, event.ErrNewerFormat) {
			if f.Damaged != nil {
				f.Damaged(e.Key)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if scanned++; scanned > maxScanned {
			break
		}
		fields, doubts, err := calltouch.Read(e, f.Site.View())
		if err != nil {
			continue // an unreadable body has no fields; `explain` says what is wrong with it
		}
		for i := range uses {
			uses[i].count(fields, e)
			uses[i].doubt(doubts)
		}
	}
	return uses, nil
}

// told is Told of a scan that ends after maxScanned events.
func (f FieldScan) told() queue.Told {
	if f.Told == nil {
		return nil
	}
	return func(done, total uint64) { f.Told(done, min(total, maxScanned)) }
}

func (u *FieldUse) count(fields calltouch.Fields, e event.Event) {
	if !slices.Contains(u.Field.Kinds, e.Key.Kind) {
		return
	}
	hook := 0
	if e.Origin == event.Webhook {
		hook = 1
	}
	u.Of++
	u.Hooks += hook
	value := fields[u.Field.Name]
	if attrs, ok := value.(map[string]string); value == nil || ok && len(attrs) == 0 {
		return
	}
	u.Came++
	u.cameByHook += hook
	u.Last, u.At = value, e.Stored
}

func (u *FieldUse) doubt(d calltouch.Doubts) {
	if u.Field.Name == "attrs" && d.Attrs || u.Field.Name == "deviceUUID" && d.Device {
		u.Unread++
	}
}

const (
	// untickedFirst is when the hooks are first read, untickedEvery how often after that.
	untickedFirst = 5 * time.Minute
	untickedEvery = 24 * time.Hour
)

// WarnUnticked says, once a day, which fields that links read never come in a site's hooks: such a
// field is not empty but not ticked in Calltouch, and a condition on it never holds.
func WarnUnticked(ctx context.Context, q *queue.Queue, file func() *link.File, log zerolog.Logger) error {
	for next := untickedFirst; wait.Sleep(ctx, next) == nil; {
		next = untickedEvery
		for _, site := range file().Sites {
			ticked, err := Unticked(ctx, q, file(), site)
			switch {
			case err != nil:
				next = untickedFirst // not a day without a word because the queue was away for a moment
			case len(ticked.Never) > 0:
				log.Warn().Str("site", site.ID).Strs("fields", ticked.Never).
					Msg("fields that links read never came in any hook of the last days: tick them in the webhook's settings in Calltouch")
			}
		}
	}
	return nil
}

// Ticked says what the hooks of a site show of the fields that links read.
type Ticked struct {
	Never  []string // unticked: hooks enough came that can have them, and none had them
	NotYet []string // none had them either, of hooks too few to say so
	Hooks  int      // that came
}

// Unticked looks for fields that links read and that never came in the hooks of a site of the last three
// days, though hooks that can have them did. `touchbox fields` judges by the same FieldUse.
func Unticked(ctx context.Context, q *queue.Queue, file *link.File, site *link.Site) (Ticked, error) {
	uses, err := FieldScan{Site: site, Since: time.Now().AddDate(0, 0, -3)}.Count(ctx, q)
	if err != nil {
		return Ticked{}, err
	}
	read := file.Ticks(site)
	var ticked Ticked
	for _, u := range uses {
		ticked.Hooks = max(ticked.Hooks, u.Hooks)
		switch {
		case !u.Never() || !slices.Contains(read, u.Field.Name):
		case u.Enough():
			ticked.Never = append(ticked.Never, u.Field.Name)
		default:
			ticked.NotYet = append(ticked.NotYet, u.Field.Name)
		}
	}
	return ticked, nil
}
