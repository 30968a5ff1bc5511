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

// Find returns the keys that a person means by text: a full key (10001/call-ended/148071), or an
// id alone, which is tried with every site and kind. Only keys come back of which something is
// left: the event, a dead letter or a record. The error is queue.ErrNotFound when there is none,
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
			if tokens := strings.Split(subject, "."); len(tokens) > 2 {
				sites = append(sites, tokens[2])
			}
		}
	}
	slices.Sort(sites)
	return slices.Compact(sites), nil
}

func (a Admin) exists(ctx context.Context, key event.Key) (bool, error) {
	_, err := a.Queue.GetEvent(ctx, key)
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
