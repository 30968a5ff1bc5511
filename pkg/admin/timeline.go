package admin

import (
	"context"
	"errors"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Timeline is all that is known of one event.
type Timeline struct {
	Key   event.Key
	Event *event.Event   // nil: it is no longer kept, only what became of it
	Links []LinkTimeline // of the links that read it or have a record of it, by id
	Notes []queue.Record // that belong to no link: repeated hooks, oldest first
}

// LinkTimeline is what a link made of one event.
type LinkTimeline struct {
	Link       string
	Outcome    event.Outcome
	Records    []queue.Record    // oldest first
	Retry      *queue.Retry      // nil: nothing waits in RETRIES
	DeadLetter *queue.DeadLetter // nil: there is none
}

// Timeline reads what became of an event. A key of which nothing is known gives an empty one.
func (a Admin) Timeline(ctx context.Context, key event.Key) (Timeline, error) {
	t := Timeline{Key: key}
	e, err := a.Queue.GetEvent(ctx, key)
	switch {
	case err == nil:
		t.Event = &e
	case !errors.Is(err, queue.ErrNotFound):
		return t, err
	}
	records, err := a.Queue.History(ctx, key)
	if err != nil {
		return t, err
	}
	links, err := a.links(ctx)
	if err != nil {
		return t, err
	}
	for _, k := range withStrangers(links, records) {
		l, err := a.linkTimeline(ctx, k, t, records)
		if err != nil {
			return t, err
		}
		if k.reads(key) || len(l.Records) > 0 || l.DeadLetter != nil {
			t.Links = append(t.Links, l)
		}
	}
	for _, r := range records {
		if r.Link == "" {
			t.Notes = append(t.Notes, r)
		}
	}
	return t, nil
}

// withStrangers adds the links that only the records name.
func withStrangers(links []known, records []queue.Record) []known {
	for _, r := range records {
		if r.Link != "" && !slices.ContainsFunc(links, func(k known) bool { return k.id == r.Link }) {
			links = append(links, known{id: r.Link})
		}
	}
	return links
}

func (a Admin) linkTimeline(ctx context.Context, k known, t Timeline, records []queue.Record) (LinkTimeline, error) {
	retry, err := a.retry(ctx, k.id, t.Key)
	if err != nil {
		return LinkTimeline{}, err
	}
	l := LinkTimeline{Link: k.id, Outcome: outcomeBy(records, retry, k.id), Retry: retry}
	for _, r := range records {
		if r.Link == k.id {
			l.Records = append(l.Records, r)
		}
	}
	if l.Outcome == "" && t.Event != nil {
		l.Outcome = k.unrecorded(*t.Event)
	}
	letter, err := a.Queue.DeadLetter(ctx, k.id, t.Key)
	if err == nil {
		l.DeadLetter = &letter
	}
	if errors.Is(err, queue.ErrNotFound) {
		err = nil
	}
	return l, err
}
