package erase

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// finds are what one look has found.
type finds struct {
	events map[string]*find // by the end of their subject
	asides []uint64         // sequences in ASIDE
}

// find is what is left of one event: sequences in the streams.
type find struct {
	events      []uint64
	retries     []uint64
	deadLetters []uint64
	history     []uint64
	links       []string // that had taken it
	recorded    []string // those of them whose record says erased
	tombstone   bool     // its tombstone is there
}

func (f *finds) event(key string) *find {
	x := f.events[key]
	if x == nil {
		x = &find{}
		f.events[key] = x
	}
	return x
}

// left reports whether there is something to do for an event.
func (f *find) left() bool {
	return !f.tombstone || !f.traces().None() || len(f.unrecorded()) > 0
}

// unrecorded are the links that had taken the event and whose records do not say yet that it is erased.
func (f *find) unrecorded() []string {
	return slices.DeleteFunc(slices.Clone(f.links), func(link string) bool { return slices.Contains(f.recorded, link) })
}

func (f *find) took(link string) {
	if link != "" && !slices.Contains(f.links, link) {
		f.links = append(f.links, link)
	}
}

func (f *finds) none() bool { return len(f.events)+len(f.asides) == 0 }

func (f *finds) traces() Traces {
	t := Traces{Aside: len(f.asides)}
	for _, x := range f.events {
		t.add(x.traces())
	}
	return t
}

func (f *find) traces() Traces {
	return Traces{Events: len(f.events), Retries: len(f.retries), DeadLetters: len(f.deadLetters), History: len(f.history)}
}

// look reads every body that is stored, and by exact key the history of the events that it finds
// and of those that were erased before.
func (r *erasure) look(ctx context.Context) (*finds, error) {
	f := &finds{events: map[string]*find{}}
	p := &reading{r: r, f: f}
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context, *reading) error{r.lookAtEvents, r.lookAside, r.lookAtDeadLetters, r.lookAtRetries} {
		if err := read(ctx, p); err != nil {
			return nil, err
		}
	}
	for key, g := range r.erased {
		if !g.clean || f.events[key] != nil {
			x := f.event(key)
			x.tombstone = true
			for _, link := range g.links {
				x.took(link)
			}
		}
	}
	for key, x := range f.events {
		if err := r.lookAtHistory(ctx, key, x); err != nil {
			return nil, err
		}
		if !x.left() {
			r.erased[key].clean = len(r.marks) == 0
			delete(f.events, key)
		}
	}
	return f, nil
}

// reading counts how far a look is.
type reading struct {
	r                  *erasure
	f                  *finds
	done, total, found int
}

// tellEvery is after how many messages a look tells how far it is.
const tellEvery = 1000

func (p *reading) begin(ctx context.Context) error {
	for _, name := range []string{event.EventsStream, event.AsideStream, event.DeadLettersStream, event.RetriesStream} {
		s, err := p.r.jet.Stream(ctx, name)
		if err != nil {
			return err
		}
		info, err := s.Info(ctx)
		if err != nil {
			return jet.Describe("look at "+name, err)
		}
		n := info.State.Msgs
		if name == event.EventsStream {
			n = min(n, info.State.LastSeq+1-min(info.State.LastSeq+1, p.r.from))
		}
		p.total += int(n)
	}
	p.tell()
	return nil
}

func (p *reading) next() {
	if p.done++; p.done%tellEvery == 0 {
		p.tell()
	}
}

func (p *reading) tell() {
	p.r.tell(Progress{Step: Look, Done: p.done, Total: max(p.total, p.done), Found: p.found})
}

// lookAtEvents reads the log, the second time only what is new in it: what somebody took back from
// ASIDE meanwhile.
func (r *erasure) lookAtEvents(ctx context.Context, p *reading) error {
	for m, err := range r.jet.Flow(ctx, event.EventsStream, jet.Anything, r.from) {
		if err != nil {
			return err
		}
		p.next()
		r.from = m.Sequence + 1
		key := event.LogSubjects.Rest(m.Subject)
		if queue.Erased(m.Header) {
			r.remember(key, taken(m.Header))
			continue
		}
		e, err := queue.ReadEvent(m)
		e = whole(e, m, key)
		if r.erased[key] == nil && !(r.cameBefore(e) && r.whom.Match(e)) {
			continue
		}
		x := p.f.event(key)
		x.events = append(x.events, m.Sequence)
		for _, l := range r.links {
			if slices.Contains(l.Subjects, event.SubjectOf(e.Key.Site, e.Key.Kind)) && (err != nil || event.Taken(e, l.Start)) {
				x.took(l.ID)
			}
		}
		p.found++
	}
	return nil
}

// remember notes an event that is erased. One that is not clean is looked after again.
func (r *erasure) remember(key string, links []string) {
	if r.erased[key] == nil {
		r.erased[key] = &erasedEvent{links: links}
	}
}

func (r *erasure) lookAside(ctx context.Context, p *reading) error {
	for m, err := range r.jet.Scan(ctx, event.AsideStream, event.AsideSubjects.Of(">"), 1) {
		if err != nil {
			return err
		}
		p.next()
		a := queue.ReadAside(m)
		e := event.Event{Key: event.Key{Site: a.Site}, Origin: a.Origin, ContentType: a.ContentType, Query: a.Query, Body: a.Body, Received: a.Received}
		if a.Received.Before(r.began) && r.whom.Match(e) {
			p.f.asides = append(p.f.asides, m.Sequence)
			p.found++
			if key, err := event.ParseKey(a.Key); err == nil && a.Reason == queue.AsideUnpolled {
				p.f.event(key.Subject()) // its record is still to come: a tombstone takes its place
			}
		}
	}
	return nil
}

func (r *erasure) lookAtDeadLetters(ctx context.Context, p *reading) error {
	for m, err := range r.jet.Flow(ctx, event.DeadLettersStream, jet.Anything, 1) {
		if err != nil {
			return err
		}
		if d, ok := queue.ReadDeadLetter(m); ok && r.about(p, d.Subject(), whole(d.Event, m, d.Subject())) {
			x := p.f.event(d.Subject())
			x.deadLetters = append(x.deadLetters, m.Sequence)
			x.took(d.Link)
		}
	}
	return nil
}

func (r *erasure) lookAtRetries(ctx context.Context, p *reading) error {
	for m, err := range r.jet.Scan(ctx, event.RetriesStream, event.RetrySubjects.Of(">"), 1) {
		if err != nil {
			return err
		}
		if t, ok := queue.ReadRetry(m); ok && r.about(p, t.Subject(), whole(t.Event, m, t.Subject())) {
			x := p.f.event(t.Subject())
			x.retries = append(x.retries, m.Sequence)
			x.took(t.Link)
		}
	}
	return nil
}

// about reports whether a retry or dead letter is to be erased: its event is, or was, or is no
// longer in the log and about the person.
func (r *erasure) about(p *reading, key string, e event.Event) bool {
	p.next()
	if r.erased[key] == nil && p.f.events[key] == nil && !(r.cameBefore(e) && r.whom.Match(e)) {
		return false
	}
	p.found++
	return true
}

// lookAtHistory reads the records of an event.
func (r *erasure) lookAtHistory(ctx context.Context, key string, x *find) error {
	if r.q.Options().Limits.NoHistory { // then no records are written
		x.recorded = x.links
	}
	_, err := r.jet.Last(ctx, event.HistoryStream, event.HistorySubjects.Of(key))
	if errors.Is(err, queue.ErrNotFound) {
		return nil
	}
	if err != nil {
		return jet.Describe("read "+event.HistoryStream, err)
	}
	for m, err := range r.jet.Scan(ctx, event.HistoryStream, event.HistorySubjects.Of(key), 1) {
		if err != nil {
			return err
		}
		link, outcome := m.Header.Get(event.HeaderLink), event.Outcome(m.Header.Get(event.HeaderOutcome))
		if outcome == event.Erased {
			x.took(link)
			x.recorded = append(x.recorded, link)
			continue
		}
		x.history = append(x.history, m.Sequence)
		if outcome != "" {
			x.took(link)
		}
	}
	return nil
}

// whole completes an event whose headers cannot be read with what a person may still be found by.
func whole(e event.Event, m *jet.Message, key string) event.Event {
	if e.Body == nil {
		e.Body = m.Data
	}
	if e.Key == (event.Key{}) {
		e.Key, _ = event.ParseSubject(key)
	}
	if e.ContentType == "" {
		e.ContentType = m.Header.Get(event.HeaderContent)
	}
	if e.Query == "" {
		e.Query = m.Header.Get(event.HeaderQuery)
	}
	if e.Origin == "" {
		e.Origin = event.Origin(m.Header.Get(event.HeaderOrigin))
	}
	return e
}

// taken reads from a tombstone which links had taken the event.
func taken(h nats.Header) []string {
	return strings.FieldsFunc(h.Get(event.HeaderTakenBy), func(r rune) bool { return r == ',' })
}
