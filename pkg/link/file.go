package link

import (
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// File is one touchbox.yaml, checked and compiled.
type File struct {
	Path         string
	Sites        []*Site
	Destinations []*Destination
	Keep         Keep
	Links        []*Link
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
	Disk        int64 // bytes
}

// Site is one cabinet of Calltouch.
type Site struct {
	ID          string // Calltouch's siteId, decimal
	Name        string
	Key         Secret // of the webhook's address; unset = no webhooks
	Counter     string // modId of Calltouch's script; empty = no site script
	Token       Secret // of Calltouch's API; unset = nothing is polled
	API         string // base address, without a trailing slash
	Location    *time.Location
	Attribution string // last-non-direct or last
	Attrs       []string
	Device      string // the attribute with Mindbox's id; empty = none
	TenDigits   string // country code put before ten digits; empty = ten digits are no number
	Requests    Requests
	Journal     Journal
	Script      Script
}

// Keys are the webhook's keys as they stand now: none, one, or two while rotating.
func (s *Site) Keys() []string { return s.Key.Values() }

// Sources of form requests.
const (
	FromPoll = "poll" // the requests API; a request hook only wakes the poller
	FromHook = "hook" // hooks; the poll fills the holes
)

// Requests says how form requests are read.
type Requests struct {
	From  string        // FromPoll or FromHook
	Every time.Duration // between two polls
	Sweep time.Duration // how far back the daily sweep reads
	Grace time.Duration // how old a record must be before it is stored, so that its hook comes first
}

// Journal says how the journal of calls is read.
type Journal struct {
	Every, Sweep, Grace time.Duration // as in Requests
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
	Authorization string  // AuthorizationMindbox or AuthorizationSecretKey
	TimeFormat    string  // pattern of utc(), such as yyyy-MM-dd HH:mm:ss.fff
	Rate          float64 // requests a second over all workers; 0 = no limit but what 429 teaches
	Timeout       time.Duration
	Retry         Retry
}

// Spellings of Mindbox's Authorization header.
const (
	AuthorizationMindbox   = "mindbox"   // Mindbox secretKey="..."
	AuthorizationSecretKey = "secretkey" // SecretKey ...
)

// Retry bounds the retries of one event.
type Retry struct {
	For  time.Duration // an event is buried when this has passed since its first attempt
	UpTo time.Duration // longest pause between two attempts
}

// Modes of a link.
const (
	Live   = "live"
	Shadow = "shadow" // all but the sending
)

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

	programs
}

// Subjects are the subjects of EVENTS that the link reads, one per site and kind.
func (l *Link) Subjects() []string {
	var subjects []string
	for _, site := range l.Sites {
		for _, k := range l.Kinds {
			subjects = append(subjects, "touchbox.event."+site+"."+string(k)+".*")
		}
	}
	return subjects
}
