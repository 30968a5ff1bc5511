package admin

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// What a person names that there is none of selects nothing, and an empty list would be taken for an answer. Commands, pages and the API
// ask here what there is.

// Reasons are why an event may wait, have died or been filtered.
func Reasons() []string { return slices.Sorted(maps.Keys(reasonWords)) }

// AsideReasons are why something may be set aside.
func AsideReasons() []string {
	list := []string{string(calltouch.AsideUnpolled)}
	for _, reason := range calltouch.Reasons {
		list = append(list, string(reason))
	}
	slices.Sort(list)
	return list
}

// Verbs are what an entry of the audit may be about.
func Verbs() []string { return slices.Sorted(maps.Keys(verbWords)) }

// causeID is the form of what CauseOf gives.
var causeID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// IsCause reports whether a text may be the id of a cause. Whether there is one nobody can say: it goes with its last dead letter.
func IsCause(id string) bool { return causeID.MatchString(id) }

// SiteOf is the id of a site that a person names, by its id or its name: of one in the file, or one of which something is stored. False
// where there is none.
func (a Admin) SiteOf(ctx context.Context, named string) (id string, known bool, err error) {
	if site := a.File.Site(named); site != nil {
		return site.ID, true, nil
	}
	if named == "" || strings.Trim(named, "0123456789") != "" {
		return "", false, nil
	}
	events, asides, err := a.Queue.CountSince(ctx, named, time.Time{})
	if err != nil || events+asides > 0 {
		return named, err == nil, err
	}
	_, dead, err := a.Queue.OldestDeadLetters(ctx, Filter{Site: named}, 1) // they are kept longer than the log
	return named, dead > 0, err
}

// What is wrong with a span of time that a person gives.
var (
	ErrSince  = errors.New("since is no time")
	ErrUntil  = errors.New("until is no time")
	ErrFuture = errors.New("since has not come yet")
	ErrNoSpan = errors.New("until is not after since")
)

// ReadSpan reads from when and until when, as ReadMoment does. A span with its ends exchanged, or one that has not begun, would be an empty
// list. ErrSince, ErrUntil, ErrFuture, ErrNoSpan.
func ReadSpan(since, until string, zone *time.Location, now time.Time) (from, to time.Time, err error) {
	from, ok := ReadMoment(since, zone, now)
	if !ok {
		return from, to, ErrSince
	}
	to, ok = ReadMoment(until, zone, now)
	switch {
	case !ok:
		return from, to, ErrUntil
	case from.After(now.Add(clockMargin)):
		return from, to, ErrFuture
	case !from.IsZero() && !to.IsZero() && !from.Before(to):
		return from, to, ErrNoSpan
	}
	return from, to, nil
}
