package calltouch

import (
	"cmp"
	"time"

	"github.com/touchbox/touchbox/pkg/defaults"
)

// Site is one cabinet of Calltouch: what is needed to take its hooks, to ask its API and to read its
// events. The zero value of all but ID is good.
type Site struct {
	ID string // Calltouch's siteId, decimal

	HookKeys func() []string // secrets of the address of its webhooks as they stand now, each one good; nil: no hooks
	API      string          // base address of the API; "" = defaults.API
	APIToken func() string   // asked before each request; nil: nothing is polled

	Attribution string // LastNonDirect or Last; "" = LastNonDirect, and no hook's own model is compared

	Location  *time.Location // of the cabinet's local times; this and the next three as in View
	Attrs     []string
	Device    string
	TenDigits string

	Requests Requests
	Journal  Journal
}

// Where form requests come from.
const (
	RequestsFromPoll = "poll" // the requests API; a request's hook only wakes the poller
	RequestsFromHook = "hook" // hooks; the poll fills the holes
)

// Requests says how form requests are read. The zero value of a duration is its default.
type Requests struct {
	From  string        // RequestsFromPoll or RequestsFromHook; "" = RequestsFromPoll
	Every time.Duration // between two polls of today; 0 = defaults.RequestsEvery
	Sweep time.Duration // how far back a sweep reads, at start and once a day; 0 = defaults.Sweep
	// Grace is how old a request must be to be stored where requests come from hooks, so that its hook
	// comes first; 0 is none. Otherwise it is how long a hook waits for its record, which alone has
	// the e-mail and the comment; 0 is two rounds.
	Grace time.Duration
}

// Journal says how the journal of calls is read. The zero value of a duration is its default.
type Journal struct {
	Every time.Duration // between two readings of the last hours; 0 = defaults.JournalEvery
	Sweep time.Duration // how far back a sweep reads, at start and once a day; 0 = defaults.Sweep
	Grace time.Duration // how long ago a call must have ended to be stored, so that its hook comes first; 0 is none
}

// WithDefaults is the site with its defaults in the place of what it leaves out.
func (s Site) WithDefaults() Site {
	s.API = cmp.Or(s.API, defaults.API)
	s.Attribution = cmp.Or(s.Attribution, LastNonDirect)
	s.Requests.Every = cmp.Or(s.Requests.Every, defaults.RequestsEvery)
	s.Requests.Sweep = cmp.Or(s.Requests.Sweep, defaults.Sweep)
	s.Journal.Every = cmp.Or(s.Journal.Every, defaults.JournalEvery)
	s.Journal.Sweep = cmp.Or(s.Journal.Sweep, defaults.Sweep)
	return s
}

// View says how to read the events of the site into the vocabulary.
func (s *Site) View() View {
	return View{Location: s.Location, Attrs: s.Attrs, Device: s.Device, TenDigits: s.TenDigits}
}

// Day is the day of t in the cabinet.
func (s *Site) Day(t time.Time) Day { return DayOf(t, s.View().Zone()) }

// HasHooks reports whether webhooks are set up.
func (s *Site) HasHooks() bool { return s.HookKeys != nil }

// OtherModel reports whether an event names an attribution model, and not that of the file.
func (s *Site) OtherModel(got string) bool {
	return got != "" && s.Attribution != "" && got != AttributionNumber(s.Attribution)
}

// Attribution models, as touchbox.yaml names them.
const (
	LastNonDirect = "last-non-direct" // Calltouch's own default
	Last          = "last"
)

// AttributionNumber is how Calltouch's hooks and API name a model.
func AttributionNumber(model string) string {
	if model == Last {
		return "0"
	}
	return "1"
}
