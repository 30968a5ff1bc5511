// Package link is what a person configures: touchbox.yaml, read strictly, and the links in it.
//
// A link (связка) says which events of a Calltouch site go to which Mindbox operation. Filter
// decides whether an event passes, Render makes the request's parts from it, Explain shows both.
// What flows in are the fields of one event in Calltouch's vocabulary; what flows out is JSON for
// Mindbox. The package neither sends nor stores anything, and knows the source only by its
// vocabulary and the sink by what its requests look like.
//
// Three rooms stand below it: strictyaml reads the text of the file with places, keys is the table of
// what may stand in it, with every default, expression is the language of conditions and values. What
// the keys of the file mean is known here alone.
package link

import (
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// File is one touchbox.yaml, checked and compiled.
type File struct {
	Path         string
	Sites        []*Site
	Destinations []*Destination
	Keep         Keep
	Links        []*Link
	Console      Console
}

// Link finds a link by its id; nil when there is none.
func (f *File) Link(id string) *Link {
	for _, l := range f.Links {
		if l.ID == id {
			return l
		}
	}
	return nil
}

// Site finds a site by Calltouch's id or by its name; nil when there is none.
func (f *File) Site(idOrName string) *Site {
	for _, s := range f.Sites {
		if s.ID == idOrName || s.Name == idOrName {
			return s
		}
	}
	return nil
}

// Destination finds a destination by its name; nil when there is none.
func (f *File) Destination(name string) *Destination {
	for _, d := range f.Destinations {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Keep says how long and how much is kept.
type Keep struct {
	Events      time.Duration
	History     time.Duration // 0 keeps none
	DeadLetters time.Duration
	Audit       time.Duration
	Disk        int64 // bytes
}

// Site is one cabinet of Calltouch.
type Site struct {
	calltouch.Site // as its hooks are taken, its API is asked and its events are read

	Name    string
	Key     Secret // of the webhook's address; unset = no webhooks
	Counter string // modId of Calltouch's script; empty = no site script
	Token   Secret // of Calltouch's API; unset = nothing is polled
	Script  Script
}

// Keys are the webhook's keys as they stand now: none, one, or two while rotating.
func (s *Site) Keys() []string { return s.Key.Values() }

// View says how to read the events of a site, by its id or name; those of one that the file does not name
// are read as they come.
func (f *File) View(site string) calltouch.View {
	if s := f.Site(site); s != nil {
		return s.View()
	}
	return calltouch.View{}
}

// Script says how the site script behaves.
type Script struct {
	Consent string // name of the consent that the script waits for; empty = it waits for none
}

// Destination is one endpoint of Mindbox.
type Destination struct {
	Name          string
	URL           string  // base address, without a trailing slash
	Endpoint      string  // endpointId
	Secret        Secret  // unset = no Authorization header
	Authorization string  // mindbox.AuthorizationMindbox or mindbox.AuthorizationSecretKey
	TimeFormat    string  // pattern of utc(), such as yyyy-MM-dd HH:mm:ss.fff
	Rate          float64 // requests a second over all workers; 0 = no limit but what 429 teaches
	Timeout       time.Duration
	Retry         Retry
}

// Retry bounds the retries of one event.
type Retry struct {
	For  time.Duration // an event is buried when this has passed since its first attempt
	UpTo time.Duration // longest pause between two attempts
}

// Link is one configured way of a site's events to one operation. It is safe for concurrent use.
type Link struct {
	ID        string
	Title     string
	Sites     []string // Calltouch's site ids
	Kinds     []event.Kind
	To        *Destination
	Operation string
	Since     time.Time // zero = unset: the link starts when it is first seen
	Delay     time.Duration
	Expire    time.Duration // older than this: dead with the reason expired; 0 = never
	Shadow    bool
	Version   string // hash of the link with its conditions, tables and formats

	sites    []*Site              // those of Sites
	variants []*compiled          // one per difference between the sites' settings
	bySite   map[string]*compiled // the variants, by Calltouch's site id
	document []byte               // see Document
	source   []Excerpt            // see Source
	pos      Pos
}

// Subjects are the subjects of EVENTS that the link reads, one per site and kind.
func (l *Link) Subjects() []string {
	var subjects []string
	for _, site := range l.Sites {
		subjects = append(subjects, event.SubjectsOf(site, l.Kinds...)...)
	}
	return subjects
}

// Ticks lists the webhook's parameters that must be ticked in Calltouch for the site: what its
// links read, what keys and tells events apart.
func (f *File) Ticks(s *Site) []string {
	ticks := slices.Concat(f.TicksOf(s, event.CallEnded), f.TicksOf(s, event.CallStarted), f.TicksOf(s, event.Request))
	slices.Sort(ticks)
	return slices.Compact(ticks)
}

// identity are the parameters without which an event of a kind cannot be keyed, timed and told apart.
var identity = map[event.Kind][]string{
	event.CallStarted: {"id", "callphase", "timestamp", "callerphone", "siteId"},
	event.CallEnded:   {"id", "callphase", "timestamp", "callerphone", "siteId"},
	event.Request:     {"requestId", "requestDate", "callerphone", "siteId"},
}

// TicksOf are the Ticks of the webhooks that bring one kind of event: Calltouch has a list of fields for each.
func (f *File) TicksOf(s *Site, kind event.Kind) []string {
	ticks := slices.Clone(identity[kind])
	for _, l := range f.Links {
		if !slices.Contains(l.Sites, s.ID) || !slices.Contains(l.Kinds, kind) {
			continue
		}
		for _, name := range l.Reads() {
			for _, tick := range tickedFor(name) {
				if field, ok := calltouch.Lookup(tick); ok && slices.Contains(field.Kinds, kind) {
					ticks = append(ticks, tick)
				}
			}
		}
	}
	slices.Sort(ticks)
	return slices.Compact(ticks)
}

// Takes reports whether a link reads one kind of event of the site.
func (f *File) Takes(s *Site, kind event.Kind) bool {
	return slices.ContainsFunc(f.Links, func(l *Link) bool { return slices.Contains(l.Sites, s.ID) && slices.Contains(l.Kinds, kind) })
}

// tickedFor are the parameters from which a field is read.
func tickedFor(name string) []string {
	if strings.HasPrefix(name, "attrs.") {
		return []string{"attrs"}
	}
	switch name {
	case "deviceUUID":
		return []string{"attrs"}
	case "lastName", "firstName", "middleName":
		return []string{"fio"}
	case "tags":
		var tags []string
		for _, f := range calltouch.Vocabulary() {
			if !f.Derived && strings.HasPrefix(f.Name, "tags_") {
				tags = append(tags, f.Name)
			}
		}
		return tags
	}
	if f, ok := calltouch.Lookup(name); ok && !f.Derived && f.Origins.Has(calltouch.FromHook) {
		return []string{name}
	}
	return nil
}
