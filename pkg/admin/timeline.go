package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Timeline is all that is known of one event.
type Timeline struct {
	Key    event.Key
	Event  *event.Event   // nil: it is no longer kept, only what became of it
	Erased bool           // the person was erased
	Links  []LinkTimeline // of the links that read it or have a record of it, by id
	Notes  []queue.Record // that belong to no link: repeated hooks, oldest first
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
	e, err := a.event(ctx, key)
	switch {
	case err == nil:
		t.Event = &e
	case errors.Is(err, queue.ErrErased):
		t.Erased = true
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
	for _, k := range withRecorded(links, records) {
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

// Known reports whether anything is known of the event.
func (t Timeline) Known() bool {
	return t.Event != nil || t.Erased || len(t.Notes) > 0 ||
		slices.ContainsFunc(t.Links, func(l LinkTimeline) bool { return len(l.Records) > 0 || l.DeadLetter != nil })
}

// withRecorded adds the links that only the records know: they were removed.
func withRecorded(links []linkInfo, records []queue.Record) []linkInfo {
	for _, r := range records {
		if r.Link != "" && !slices.ContainsFunc(links, func(k linkInfo) bool { return k.id == r.Link }) {
			links = append(links, linkInfo{id: r.Link})
		}
	}
	return links
}

func (a Admin) linkTimeline(ctx context.Context, k linkInfo, t Timeline, records []queue.Record) (LinkTimeline, error) {
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
	dead, err := a.Queue.DeadLetter(ctx, k.id, t.Key)
	if err == nil {
		l.DeadLetter = &dead
	}
	if errors.Is(err, queue.ErrNotFound) {
		err = nil
	}
	return l, err
}

// Find returns the keys that a person means by text: a full key (10001/call-ended/148071), or an
// id alone, which is tried with every site and kind. Only keys come back of which something is
// left: the event or its tombstone, a dead letter or a record. The error is queue.ErrNotFound when there is none,
// event.ErrBadKey when text cannot be a key.
//
// Each key is read by itself: a search by a wildcard makes ingest wait.
func (a Admin) Find(ctx context.Context, text string) ([]event.Key, error) {
	candidates, err := a.candidates(ctx, text)
	if err != nil {
		return nil, err
	}
	var found []event.Key
	for _, key := range candidates {
		there, err := a.exists(ctx, key)
		if err != nil {
			return nil, err
		}
		if there {
			found = append(found, key)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("event %q: %w", text, queue.ErrNotFound)
	}
	return found, nil
}

func (a Admin) candidates(ctx context.Context, text string) ([]event.Key, error) {
	if strings.Contains(text, "/") {
		key, err := event.ParseKey(text)
		return []event.Key{key}, err
	}
	sites, err := a.sites(ctx)
	if err != nil {
		return nil, err
	}
	var keys []event.Key
	for _, site := range sites {
		for _, kind := range event.Kinds {
			key, err := event.NewKey(site, kind, text)
			if err != nil {
				return nil, err
			}
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// sites are those of the file and those that a link read in the past.
func (a Admin) sites(ctx context.Context) ([]string, error) {
	var sites []string
	for _, s := range a.File.Sites {
		sites = append(sites, s.ID)
	}
	links, err := a.links(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range links {
		for _, subject := range k.subjects {
			if site, _, ok := event.SiteAndKind(subject); ok {
				sites = append(sites, site)
			}
		}
	}
	slices.Sort(sites)
	return slices.Compact(sites), nil
}

func (a Admin) exists(ctx context.Context, key event.Key) (bool, error) {
	_, err := a.event(ctx, key)
	if errors.Is(err, queue.ErrErased) {
		return true, nil
	}
	if !errors.Is(err, queue.ErrNotFound) {
		return err == nil, err
	}
	records, err := a.Queue.History(ctx, key)
	if err != nil || len(records) > 0 {
		return err == nil, err
	}
	for _, err := range a.Queue.DeadLetters(ctx, queue.Filter{Key: key}) {
		return err == nil, err
	}
	return false, nil
}
