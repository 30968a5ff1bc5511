// Package admin is what an operator may ask of a running Touchbox and do to it: why an event did
// or did not reach Mindbox, what waits, what died, and how to mend it.
//
// It is one Go API over the queue. Commands parse flags and print; they decide nothing. The
// package speaks neither Calltouch's language nor Mindbox's: whoever makes an Admin gives it a
// way to read an event's fields. Values that come out of it may hold personal data; whoever
// shows them masks them.
package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Admin asks and acts. Queue and File are required.
type Admin struct {
	Queue *queue.Queue
	File  *link.File

	// Fields reads an event into the vocabulary that links speak. Nil: what needs the fields of
	// an event (looking for a phone, the preview of a replay) reports ErrNoFields.
	Fields func(event.Event) (map[string]any, error)

	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Errors that commands tell apart.
var (
	// ErrNoFields reports an Admin that was made without Fields.
	ErrNoFields = errors.New("the fields of events cannot be read here")
	// ErrNoLink reports an id that neither the file nor the queue knows.
	ErrNoLink = errors.New("no such link")
)

func (a Admin) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

func (a Admin) fields(e event.Event) (map[string]any, error) {
	if a.Fields == nil {
		return nil, ErrNoFields
	}
	return a.Fields(e)
}

// known is a link as the file and the queue know it. One of the two may be missing: a link that
// no worker has run yet, or one that left the file.
type known struct {
	id       string
	file     *link.Link // nil: it is not in the file
	state    queue.LinkState
	stored   bool // the queue knows it
	subjects []string
	start    time.Time
}

// links merges the file's links with those that the queue remembers, sorted by id. What the queue
// remembers decides about subjects and start: they are written once.
func (a Admin) links(ctx context.Context) ([]known, error) {
	states, err := a.Queue.Links(ctx)
	if err != nil {
		return nil, err
	}
	var all []known
	for _, s := range states {
		all = append(all, known{id: s.ID, file: a.File.Link(s.ID), state: s, stored: true, subjects: s.Subjects, start: s.Start})
	}
	for _, l := range a.File.Links {
		if slices.ContainsFunc(all, func(k known) bool { return k.id == l.ID }) {
			continue
		}
		start := l.Since
		if start.IsZero() {
			start = a.now() // it will start when a worker first runs it
		}
		all = append(all, known{id: l.ID, file: l, subjects: l.Subjects(), start: start})
	}
	slices.SortFunc(all, func(x, y known) int { return cmp.Compare(x.id, y.id) })
	return all, nil
}

// link finds one of links. ErrNoLink.
func (a Admin) link(ctx context.Context, id string) (known, error) {
	all, err := a.links(ctx)
	if err != nil {
		return known{}, err
	}
	for _, k := range all {
		if k.id == id {
			return k, nil
		}
	}
	return known{}, noLink(id)
}

// reads reports whether the event is among those that the link reads.
func (k known) reads(key event.Key) bool {
	return slices.Contains(k.subjects, queue.EventSubject(key.Site, key.Kind))
}

// unrecorded is the outcome of an event of the link as long as HISTORY knows none.
func (k known) unrecorded(e event.Event) event.Outcome {
	if event.Taken(e, k.start) {
		return event.Waiting
	}
	return event.Untaken
}

// Knows reports whether there is a link of this id: in the file, in the queue, or dead letters of
// one that is gone.
func (a Admin) Knows(ctx context.Context, id string) (bool, error) {
	_, err := a.link(ctx, id)
	if !errors.Is(err, ErrNoLink) {
		return err == nil, err
	}
	for _, err := range a.Queue.DeadLetters(ctx, queue.Filter{Link: id}) {
		return err == nil, err
	}
	return false, nil
}
