// Package watch tells people what Touchbox itself shows to be wrong, and what they would see too late:
// alerts to ALERT_URL once per cause, a site that has fallen silent, fields that links read and nobody
// ticked in Calltouch, hooks with a wrong key, site or time zone, hooks that came again with other values,
// a certificate that was not renewed.
//
// What the queue, the worker, the hooks and the poll know flows in, by the calls of those who run them
// or by looking into the queue; alerts, lines of the log, notes in HISTORY and counts in STATE flow out. It changes no
// event, holds none up, and keeps no metrics: who wants numbers is told by a function.
package watch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Notice is what ALERT_URL gets: once when a cause begins and once when it is over. Text alone is
// a whole sentence, so that a messenger's webhook can show it.
type Notice struct {
	Text    string    `json:"text"`
	Cause   Cause     `json:"cause"`
	Subject string    `json:"subject"`        // the link, the endpoint, the site, the stream
	Over    bool      `json:"over"`           // the cause is gone
	Time    time.Time `json:"time"`           // when it began, or was found to be gone
	Page    string    `json:"page,omitempty"` // of the console, where CONSOLE_URL says by which address people reach it; Text ends with it
}

// Cause is why a person is called. The list is closed.
type Cause string

// All causes.
const (
	CauseParked      Cause = "parked"       // a link or an endpoint is parked
	CauseDeadLetters Cause = "dead_letters" // a link has dead letters
	CauseDisk        Cause = "disk"         // a stream passed 80 % of its bound
	CauseSilence     Cause = "silence"      // a site is silent for longer than is usual for it
	CauseAside       Cause = "aside"        // more than 5 % of what comes is set aside
	CauseAbandoned   Cause = "abandoned"    // an unread event was removed, the disk being full
	CauseLostRetries Cause = "lost_retries" // events wait for a link that RETRIES does not hold any more
	CauseUnread      Cause = "unread"       // days that Calltouch's API does not list, for an hour and more
	CauseQueue       Cause = "queue"        // events cannot be stored
	CauseConfig      Cause = "config"       // the file on disk is refused
	CauseTest        Cause = "test"         // none: a person tries whether alerts arrive
)

// Alerts is an alert manager with deduplication and hysteresis: it calls a person once when a cause
// begins and once when it is over. How far each alert is stands in STATE, so that neither
// several processes nor a restart say it twice, and none is lost with the process that saw it:
//
//	Watch, worker ──▶ begin, end ──▶ STATE: begun, told, ending, over ──▶ Run ──▶ ALERT_URL
type Alerts struct {
	receiver *Receiver // nil: nobody is called
	queue    *queue.Queue
	file     func() *link.File
	lang     lang.Language
	log      zerolog.Logger
	pace     pace
	wake     chan struct{} // full when there may be something to send

	mu       sync.Mutex
	unstored map[string]sighting // what STATE did not take yet, by key; the newest of each
}

// Config is what Alerts works with.
type Config struct {
	Receiver *Receiver // who is called; nil: nobody is, and what needs a person stands in STATE for whoever looks
	Queue    *queue.Queue
	File     func() *link.File // the file in force
	Language lang.Language     // of the sentences
	Log      zerolog.Logger
}

// NewAlerts makes the alerts of one process.
func NewAlerts(c Config) *Alerts {
	return &Alerts{
		receiver: c.Receiver, queue: c.Queue, file: c.File, lang: c.Language, log: c.Log,
		pace: usualPace, wake: make(chan struct{}, 1), unstored: map[string]sighting{},
	}
}

// pace is when an alert is sent, tried again and told to be over. Tests make it quick.
type pace struct {
	every time.Duration // between two looks into STATE for what is to be sent
	first time.Duration // pause after the first try; it doubles. Longer than a try takes
	most  time.Duration // longest pause: a receiver may be away for days
	away  time.Duration // how long events cannot be stored before a person is called
	calm  time.Duration // how long a cause must be gone before its end is told; several checks long
}

// usualPace is the pace outside of tests.
var usualPace = pace{every: checkEvery, first: sendTimeout + 5*time.Second, most: 5 * time.Minute, away: queueAway, calm: 3 * checkEvery}

// sighting is that a cause was seen, or seen to be gone.
type sighting struct {
	cause   Cause
	subject string
	text    string // says so to a person
	there   bool
}

// begin says that a cause is there. Saying again what was said already does nothing.
func (a *Alerts) begin(ctx context.Context, cause Cause, subject, text string) {
	a.note(ctx, sighting{cause: cause, subject: subject, text: text, there: true})
}

// end says that a cause is not there, as a rule because it never was.
func (a *Alerts) end(ctx context.Context, cause Cause, subject, text string) {
	a.note(ctx, sighting{cause: cause, subject: subject, text: text})
}

// note stores a sighting in STATE, now or, when STATE does not answer, as soon as it does.
func (a *Alerts) note(ctx context.Context, s sighting) {
	err := a.store(ctx, s)
	a.mu.Lock()
	defer a.mu.Unlock()
	key := alertKey(s.cause, s.subject)
	if err == nil {
		delete(a.unstored, key)
		return
	}
	a.unstored[key] = s
}

func (a *Alerts) store(ctx context.Context, s sighting) error {
	now := time.Now().UTC()
	return a.change(ctx, alertKey(s.cause, s.subject), func(x alert) (alert, bool) {
		x.Cause, x.Subject = s.cause, s.subject
		if s.there {
			return x.begin(s.text, now)
		}
		return x.end(s.text, now, a.pace.calm)
	})
}

// storeAgain stores what STATE did not take.
func (a *Alerts) storeAgain(ctx context.Context) {
	a.mu.Lock()
	left := slices.Collect(maps.Values(a.unstored))
	a.mu.Unlock()
	for _, s := range left {
		a.note(ctx, s)
	}
}

// change is a compare-and-set of an alert in STATE: it is tried again when another process was faster.
func (a *Alerts) change(ctx context.Context, key string, f func(alert) (alert, bool)) error {
	for {
		var x alert
		revision, err := a.queue.State().Get(ctx, key, &x)
		if err != nil && !errors.Is(err, queue.ErrNotFound) {
			return err
		}
		x, changed := f(x)
		if !changed {
			return nil
		}
		if revision == 0 {
			_, err = a.queue.State().Create(ctx, key, x)
		} else {
			_, err = a.queue.State().Update(ctx, key, x, revision)
		}
		if !errors.Is(err, queue.ErrConflict) {
			a.poke()
			return err
		}
	}
}

func (a *Alerts) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// UnsentAlert is an alert that ALERT_URL has not taken.
type UnsentAlert struct {
	Cause   Cause
	Subject string
	Since   time.Time
	Tries   int
}

// UnsentAlerts lists the alerts that ALERT_URL has not taken at the first try.
func UnsentAlerts(ctx context.Context, q *queue.Queue) ([]UnsentAlert, error) {
	all, err := (&Alerts{queue: q}).all(ctx)
	var unsent []UnsentAlert
	for _, w := range all {
		if w.unsent() && w.Tries > 1 {
			unsent = append(unsent, UnsentAlert{w.Cause, w.Subject, w.Since, w.Tries})
		}
	}
	return unsent, err
}
