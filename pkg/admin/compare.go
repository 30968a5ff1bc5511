package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// CompareOptions say which two links are compared, on which of the stored events.
type CompareOptions struct {
	Link string
	With string // the id of another link, or the beginning of the hash of a version of Link

	Since, Until time.Time // when the call or request happened
	Most         int       // at most about so many events, picked evenly; 0 means DefaultTried
	Reveal       bool      // show personal values
	Examples     int       // at most so many events are kept with both requests

	// Each is told of each event of which the two make something else; nil tells nobody.
	Each func(Tried)
}

// Comparison is what two links, or two versions of one, make of the same events. A link in shadow mode counts as if it sent. Its
// Moves go from what Link makes of an event to what With makes of it, and say why one of them does not send it.
type Comparison struct {
	With string `json:"with"`
	Sifted
	Both     int   `json:"both"`              // sent by both
	OnlyLink int   `json:"only_link"`         // sent by the first alone
	OnlyWith int   `json:"only_with"`         // sent by the second alone
	NotRead  Group `json:"not_read,omitzero"` // of a site or kind that one of them does not read
	LinkTrial
}

// Compare says what a link makes of stored events beside another one, or beside an earlier version of itself. Nothing is sent. ErrNoLink,
// queue.ErrNotFound, ErrManyVersions.
func (a Admin) Compare(ctx context.Context, o CompareOptions) (Comparison, error) {
	var sides [bothSides]linkInfo
	var err error
	if sides[before], err = a.linkOfFile(ctx, o.Link); err != nil {
		return Comparison{}, err
	}
	files := [bothSides]*link.File{a.File, a.File}
	sides[after], err = a.linkOfFile(ctx, o.With)
	if errors.Is(err, ErrNoLink) {
		sides[after] = sides[before]
		files[after], sides[after].file, err = a.versionOf(ctx, o)
	}
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{With: o.With}
	t := newTally(o.Link, TryOptions{Reveal: o.Reveal, Examples: o.Examples, Each: o.Each})
	sieve := sieve{Sifted: &c.Sifted, files: files, since: o.Since, until: o.Until, most: o.Most}
	for e, err := range a.sift(ctx, sieve, subjectsOf(sides)) {
		if err != nil {
			return Comparison{}, err
		}
		made := [bothSides]made{asLive(sides[before].makes(e.Event, e.fields[before])), asLive(sides[after].makes(e.Event, e.fields[after]))}
		if err := c.count(t, e.Key, made); err != nil {
			return Comparison{}, err
		}
	}
	c.LinkTrial = t.lists()
	c.From, c.To = sides[before].file.Version, sides[after].file.Version
	return c, nil
}

// linkOfFile is a link as the file says, with the start that it has. ErrNoLink.
func (a Admin) linkOfFile(ctx context.Context, id string) (linkInfo, error) {
	k, err := a.link(ctx, id)
	if err == nil && k.file == nil {
		err = noLink(id)
	}
	return k.asWritten(), err
}

// versionOf is the version of the link that a comparison names.
func (a Admin) versionOf(ctx context.Context, o CompareOptions) (*link.File, *link.Link, error) {
	v, err := a.Version(ctx, o.Link, o.With)
	if errors.Is(err, queue.ErrNotFound) {
		return nil, nil, noLink(o.With)
	}
	if err != nil {
		return nil, nil, err
	}
	return v.In(a.File)
}

func subjectsOf(sides [bothSides]linkInfo) []string {
	subjects := slices.Concat(sides[before].subjects, sides[after].subjects)
	slices.Sort(subjects)
	return slices.Compact(subjects)
}

// asLive is what would become of an event if its link were live.
func asLive(m made) made {
	if m.outcome == event.Shadow {
		m.outcome = event.Delivered
	}
	return m
}

// count counts an event. One that a side does not take by itself is not compared.
func (c *Comparison) count(t *tally, key event.Key, m [bothSides]made) error {
	for _, one := range m {
		switch one.why {
		case WhyNotRead:
			c.NotRead.add(key)
			return nil
		case WhyOlder:
			t.result.Older.add(key)
			return nil
		}
	}
	switch {
	case m[before].sent() && m[after].sent():
		c.Both++
	case m[before].sent():
		c.OnlyLink++
	case m[after].sent():
		c.OnlyWith++
	}
	return t.count(key, m[before], m[after])
}
