package queue

import (
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Filter selects dead letters or retries. Zero fields select everything.
type Filter struct {
	Link   string
	Site   string
	Kind   event.Kind
	Key    event.Key // this event only; Site and Kind do not count then
	Reason string
	Status int
	Since  time.Time // died, or began to wait, not before
	Until  time.Time // and before
}

// subject is the part of the filter that the server applies: link, site, kind, id.
func (f Filter) subject() string {
	key := orAny(f.Site) + "." + orAny(string(f.Kind)) + ".*"
	if f.Key != (event.Key{}) {
		key = f.Key.Subject()
	}
	return orAny(f.Link) + "." + key
}

// match is the rest of it.
func (f Filter) match(reason string, status int, at time.Time) bool {
	switch {
	case f.Reason != "" && f.Reason != reason,
		f.Status != 0 && f.Status != status,
		!f.Since.IsZero() && at.Before(f.Since),
		!f.Until.IsZero() && !at.Before(f.Until):
		return false
	}
	return true
}
