package admin

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"iter"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Sifted says which of the events of a span could be tried. Each is counted once, in one of the lines below Events.
type Sifted struct {
	Events     int   `json:"events"`              // of the log, in the span
	Tried      int   `json:"tried"`               // of them
	Skipped    int   `json:"skipped,omitempty"`   // by sampling: all numbers of the tried are those of a sample
	Erased     int   `json:"erased,omitempty"`    // of persons that were erased
	Unreadable Group `json:"unreadable,omitzero"` // their bodies or their envelopes cannot be read
	Unnamed    Group `json:"unnamed,omitzero"`    // of a site that neither file names
}

// sieve picks the events of a span that can be tried.
type sieve struct {
	*Sifted
	files        [bothSides]*link.File
	since, until time.Time // when the call or request happened
	most         int       // at most about so many; 0 means DefaultTried

	read  [bothSides]func(event.Event) (map[string]any, error)
	share uint32 // of so many events one
}

// sifted is an event with its fields as each file reads them.
type sifted struct {
	event.Event
	fields [bothSides]map[string]any
}

// sift iterates over the events with these subjects, nil means all, that can be tried, and counts all.
func (a Admin) sift(ctx context.Context, s sieve, subjects []string) iter.Seq2[sifted, error] {
	o := queue.ScanOptions{Subjects: subjects, Since: EventQuery{Since: s.since}.stored(), Erased: true, Told: a.scanning(event.EventsStream)}
	return func(yield func(sifted, error) bool) {
		n, err := a.countAll(ctx, o)
		if err != nil {
			yield(sifted{}, err)
			return
		}
		most := uint64(cmp.Or(s.most, DefaultTried))
		s.share = uint32((n + most - 1) / most)
		for i, file := range s.files {
			s.read[i] = a.reads(file)
		}
		for e, err := range a.Queue.Events(ctx, o) {
			one := sifted{Event: e}
			picked := false
			if err == nil || errors.Is(err, event.ErrDamaged) || errors.Is(err, event.ErrNewerFormat) || errors.Is(err, queue.ErrErased) {
				picked, err = s.pick(&one, err)
			}
			if (picked || err != nil) && !yield(one, err) || err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(sifted{}, err) // a scan cut short is no answer
		}
	}
}

// countAll counts what a scan would read.
func (a Admin) countAll(ctx context.Context, o queue.ScanOptions) (uint64, error) {
	subjects := o.Subjects
	if subjects == nil {
		subjects = []string{event.LogSubjects.Of(">")}
	}
	return a.Queue.CountEvents(ctx, subjects, o.Since)
}

// pick counts an event, reads its fields and reports whether it can be tried. problem is why it comes without all that it held.
func (s sieve) pick(e *sifted, problem error) (bool, error) {
	if !s.inSpan(e.Event) {
		return false, nil
	}
	s.Events++
	switch {
	case errors.Is(problem, queue.ErrErased):
		s.Erased++
		return false, nil
	case !picked(e.Key, s.share):
		s.Skipped++
		return false, nil
	case s.files[before].Site(e.Key.Site) == nil && s.files[after].Site(e.Key.Site) == nil:
		s.Unnamed.add(e.Key)
		return false, nil
	case problem != nil:
		s.Unreadable.add(e.Key)
		return false, nil
	}
	err := s.readFields(e)
	if errors.Is(err, errNoFields) {
		return false, err
	}
	if err != nil {
		s.Unreadable.add(e.Key)
		return false, nil
	}
	s.Tried++
	return true, nil
}

// inSpan reports whether an event is one of those that are asked for. Of one that cannot be read only the moment
// is known at which it was stored.
func (s sieve) inSpan(e event.Event) bool {
	at := e.Time
	if at.IsZero() {
		at = e.Stored
	}
	return !at.Before(s.since) && (s.until.IsZero() || at.Before(s.until))
}

// picked reports whether an event is one of a sample: each time the same, and of each kind its share.
func picked(key event.Key, share uint32) bool {
	if share <= 1 {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key.String())) // it never fails
	return h.Sum32()%share == 0
}

// readFields reads an event as each file says; once where both say the same of its site.
func (s sieve) readFields(e *sifted) (err error) {
	if e.fields[after], err = s.read[after](e.Event); err != nil {
		return err
	}
	e.fields[before] = e.fields[after]
	if !sameView(s.files[before].View(e.Key.Site), s.files[after].View(e.Key.Site)) {
		e.fields[before], err = s.read[before](e.Event)
	}
	return err
}

// sameView reports whether two views read an event alike.
func sameView(v, w calltouch.View) bool {
	return v.Zone().String() == w.Zone().String() && v.Device == w.Device && v.TenDigits == w.TenDigits && slices.Equal(v.Attrs, w.Attrs)
}
