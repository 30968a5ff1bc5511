package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
)

// TryOptions say what is tried on which of the stored events. Zero fields: the Admin's file, against what
// runs, on all of them.
type TryOptions struct {
	Before *link.File // nil: what runs
	Link   string     // only what this link reads, before or after, and only it is told of
	Since  time.Time  // the call or request happened not before
	Until  time.Time  // and before
	Most   int        // at most about so many events, picked evenly; 0 means DefaultTried

	Reveal   bool // show personal values
	Examples int  // of each link at most so many events are kept with both requests

	// Each is told of each event that a link makes something else of; nil tells nobody.
	Each func(Tried)
}

// DefaultTried is how many events are tried when nobody says otherwise.
const DefaultTried = 1_000_000

// Tried is one event of which a link makes something else than before.
type Tried struct {
	Key      event.Key
	Link     string
	From, To event.Outcome
	Differs  bool // the request is another one
}

// Trial is what links make of stored events after a change, beside what they made of them before.
type Trial struct {
	Sifted
	SiteGone Group       `json:"site_gone,omitzero"` // of the tried: of a site that only the file before names
	Changes  int         `json:"changes"`            // in how many cases a link makes something else of an event
	Lost     Group       `json:"lost,omitzero"`      // of the tried: sent before, and by no link now
	Untaken  []NoLink    `json:"untaken,omitempty"`  // of the tried: by no link taken now
	Twice    []Twice     `json:"twice,omitempty"`    // of the tried: sent by more than one link now
	Links    []LinkTrial `json:"links"`
}

// Group are events that are counted together.
type Group struct {
	Count   int    `json:"count"`
	Example string `json:"example,omitempty"` // the key of one
}

func (g *Group) add(key event.Key) {
	if g.Count++; g.Count == 1 {
		g.Example = key.String()
	}
}

// NoLink are events of one site and kind that no link takes: none reads them, or they are older than all that do.
type NoLink struct {
	Site string `json:"site"`
	Kind string `json:"kind"`
	New  int    `json:"new"` // of them: some link took it before
	Group
}

// Twice are events that the same links send.
type Twice struct {
	Links []string `json:"links"`
	New   int      `json:"new"` // of them: sent by fewer links before
	Group
}

// States of a link in a trial.
const (
	TrialSame    = "same"    // of one version on both sides
	TrialChanged = "changed" // of two versions
	TrialNew     = "new"     // before there was none
	TrialGone    = "gone"    // now there is none
)

// LinkTrial is what one link makes of the events.
type LinkTrial struct {
	Link        string       `json:"link"`
	State       string       `json:"state,omitempty"`  // of a trial of a file only
	From        string       `json:"from,omitempty"`   // the version before
	To          string       `json:"to,omitempty"`     // the version now
	Resets      bool         `json:"resets,omitempty"` // it reads other events, or from another start: only `links reset` brings a link to that
	Before      Counts       `json:"before"`
	After       Counts       `json:"after"`
	Older       Group        `json:"older,omitzero"` // of the untaken on both sides: from before its start
	Moves       []Move       `json:"moves,omitempty"`
	Same        int          `json:"same"`              // rendered before and now, and the same
	Differs     int          `json:"differs"`           // rendered before and now, and not the same
	Unknown     int          `json:"unknown,omitempty"` // rendered now, and what it was before is no longer known
	Differences []Difference `json:"differences,omitempty"`
	Examples    []Example    `json:"examples,omitempty"`
}

// Move are events that went from one outcome to another, for one reason.
type Move struct {
	From event.Outcome `json:"from"`
	To   event.Outcome `json:"to"`
	Why  string        `json:"why,omitempty"` // why they are not sent now; of those that are, why they were not
	Group
}

// Example is an event with what was and is made of it.
type Example struct {
	Key    string           `json:"key"`
	Before link.Explanation `json:"before"`
	After  link.Explanation `json:"after"`
}

// Sides of a trial.
const (
	before = iota
	after
	bothSides
)

// trier tries links on events, one after the other.
type trier struct {
	o       TryOptions
	files   [bothSides]*link.File
	links   []*triedLink
	untaken map[NoLink]*NoLink
	twice   map[string]*Twice
	result  Trial
}

// triedLink is a link on its way through a trial.
type triedLink struct {
	sides [bothSides]linkInfo
	*tally
	shown bool
}

// Try says what the file makes of stored events, beside what the workers run, and sends nothing: it has no way to
// Mindbox. A link that no worker has run yet and that has no `since` is tried on all of them. ErrNoLink.
func (a Admin) Try(ctx context.Context, o TryOptions) (Trial, error) {
	t, err := a.newTrier(ctx, o)
	if err != nil {
		return Trial{}, err
	}
	sieve := sieve{Sifted: &t.result.Sifted, files: t.files, since: o.Since, until: o.Until, most: o.Most}
	for one, err := range a.sift(ctx, sieve, t.subjects()) {
		if err != nil {
			return Trial{}, err
		}
		if err := t.try(one.Event, one.fields); err != nil {
			return Trial{}, err
		}
	}
	return t.end(), nil
}

// newTrier puts the links of both sides together.
func (a Admin) newTrier(ctx context.Context, o TryOptions) (*trier, error) {
	t := &trier{o: o, untaken: map[NoLink]*NoLink{}, twice: map[string]*Twice{}}
	t.files = [bothSides]*link.File{o.Before, a.File}
	if o.Before == nil {
		running, err := Running(ctx, a.Queue)
		if errors.Is(err, ErrNothingRuns) {
			running, err = &link.File{}, nil
		}
		if err != nil {
			return nil, err
		}
		t.files[before] = running
	}
	for i, file := range t.files {
		side := a
		side.File = file
		all, err := side.links(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range all {
			if i == after {
				k = k.asWritten()
			}
			if k.file != nil {
				t.linkOf(k.id).sides[i] = k
			}
		}
	}
	if o.Link != "" && !slices.ContainsFunc(t.links, func(l *triedLink) bool { return l.shown }) {
		return nil, noLink(o.Link)
	}
	return t, nil
}

// linkOf is the link with this id, begun where it is a new one.
func (t *trier) linkOf(id string) *triedLink {
	for _, l := range t.links {
		if l.result.Link == id {
			return l
		}
	}
	l := &triedLink{tally: newTally(id, t.o), shown: t.o.Link == "" || t.o.Link == id}
	t.links = append(t.links, l)
	return l
}

// asWritten is a link as its file says, where a reset would bring it: a new one without a start takes all.
func (k linkInfo) asWritten() linkInfo {
	if k.file == nil {
		return k
	}
	k.subjects = k.file.Subjects()
	if !k.file.Since.IsZero() || !k.stored {
		k.start = k.file.Since
	}
	return k
}

// subjects are those that are read; nil: all.
func (t *trier) subjects() []string {
	if t.o.Link == "" {
		return nil
	}
	l := t.linkOf(t.o.Link)
	subjects := slices.Concat(l.sides[before].subjects, l.sides[after].subjects)
	slices.Sort(subjects)
	return slices.Compact(subjects)
}

// try tries all links on an event, and then looks at the event over all of them.
func (t *trier) try(e event.Event, fields [bothSides]map[string]any) error {
	if t.files[after].Site(e.Key.Site) == nil {
		t.result.SiteGone.add(e.Key)
	}
	var sent [bothSides][]string
	var taken [bothSides]bool
	for _, l := range t.links {
		made := l.makes(e, fields)
		for i, m := range made {
			if m.sent() {
				sent[i] = append(sent[i], l.result.Link)
			}
			taken[i] = taken[i] || m.outcome != event.Untaken
		}
		if !l.shown {
			continue
		}
		if err := l.count(e.Key, made[before], made[after]); err != nil {
			return err
		}
	}
	t.overAll(e.Key, sent, taken)
	return nil
}

// makes is what both sides of a link make of an event.
func (l *triedLink) makes(e event.Event, fields [bothSides]map[string]any) (m [bothSides]made) {
	m[after] = l.sides[after].makes(e, fields[after])
	if l.same() {
		m[before] = m[after]
		return m
	}
	m[before] = l.sides[before].makes(e, fields[before])
	return m
}

// same reports whether both sides make the same of every event.
func (l *triedLink) same() bool {
	b, a := l.sides[before], l.sides[after]
	return b.file != nil && a.file != nil && b.file.Version == a.file.Version && b.start.Equal(a.start) && sameSubjects(b.subjects, a.subjects)
}

func sameSubjects(a, b []string) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}

// overAll counts what concerns an event and no link by itself.
func (t *trier) overAll(key event.Key, sent [bothSides][]string, taken [bothSides]bool) {
	if len(sent[before]) > 0 && len(sent[after]) == 0 {
		t.result.Lost.add(key)
	}
	if !taken[after] {
		at := NoLink{Site: key.Site, Kind: key.Kind.Dotted()}
		if t.untaken[at] == nil {
			t.untaken[at] = &NoLink{Site: at.Site, Kind: at.Kind}
		}
		t.untaken[at].add(key)
		if taken[before] {
			t.untaken[at].New++
		}
	}
	if len(sent[after]) > 1 {
		links := strings.Join(sent[after], " ")
		if t.twice[links] == nil {
			t.twice[links] = &Twice{Links: sent[after]}
		}
		t.twice[links].add(key)
		if len(sent[before]) < len(sent[after]) {
			t.twice[links].New++
		}
	}
}

// end puts the result together.
func (t *trier) end() Trial {
	r := t.result
	for _, one := range t.untaken {
		r.Untaken = append(r.Untaken, *one)
	}
	slices.SortFunc(r.Untaken, func(x, y NoLink) int { return cmp.Or(cmp.Compare(x.Site, y.Site), cmp.Compare(x.Kind, y.Kind)) })
	for _, one := range t.twice {
		r.Twice = append(r.Twice, *one)
	}
	slices.SortFunc(r.Twice, func(x, y Twice) int { return slices.Compare(x.Links, y.Links) })
	for _, l := range t.links {
		if l.shown {
			one := l.end(l.sides)
			r.Links, r.Changes = append(r.Links, one), r.Changes+l.changes
		}
	}
	slices.SortFunc(r.Links, func(x, y LinkTrial) int { return cmp.Compare(x.Link, y.Link) })
	return r
}

// Words of FailsOn.
const (
	FailOnAny    = "any"    // a link makes something else of an event, or what is below
	FailOnLost   = "lost"   // what was sent before is sent by no link now
	FailOnDouble = "double" // it is sent by more links than before
)

// FailsOn reports whether a trial shows what is not to be.
func (t Trial) FailsOn(what string) (bool, error) {
	double := slices.ContainsFunc(t.Twice, func(one Twice) bool { return one.New > 0 })
	switch what {
	case "":
		return false, nil
	case FailOnLost:
		return t.Lost.Count > 0, nil
	case FailOnDouble:
		return double, nil
	case FailOnAny:
		return t.Changes > 0 || t.Lost.Count > 0 || double, nil
	}
	return false, fmt.Errorf("%q is none of %s, %s and %s", what, FailOnAny, FailOnLost, FailOnDouble)
}
