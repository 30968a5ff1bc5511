package watch

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Causes are found in two ways: Watch looks for what stands in the queue, and those who see a cause
// come or go say so by the methods that bear its name.

// checkEvery is how often Watch looks.
const checkEvery = 30 * time.Second

// Watch begins and ends the alerts of what is parked, dead letters, silent sites and sites of which too
// much is set aside, until ctx ends. Where quiet is nil, nothing is said of sites.
func (a *Alerts) Watch(ctx context.Context, quiet *Silence) error {
	for {
		a.check(ctx, quiet)
		if wait.Sleep(ctx, checkEvery) != nil {
			return nil
		}
	}
}

// check looks once. What cannot be read, with the queue away, is neither begun nor ended.
func (a *Alerts) check(ctx context.Context, quiet *Silence) {
	file := a.file()
	if all, err := a.all(ctx); err == nil {
		a.endOfRemoved(ctx, file, all)
		a.checkParks(ctx, file, all) // the alerts were read first, so that one of this moment is not ended
	}
	for _, l := range file.Links {
		a.checkDeadLetters(ctx, l.ID)
	}
	if quiet == nil {
		return
	}
	for _, s := range file.Sites {
		a.checkSilence(ctx, s, quiet)
		a.checkAside(ctx, s)
	}
}

func (a *Alerts) checkDeadLetters(ctx context.Context, id string) {
	switch oldest, n, err := a.queue.OldestDeadLetters(ctx, queue.Filter{Link: id}, 1); {
	case err != nil: // neither
	case n > 0:
		a.begin(ctx, CauseDeadLetters, id, a.deadLettersText(id, n, oldest))
	default:
		a.end(ctx, CauseDeadLetters, id, a.noDeadLettersText(id))
	}
}

func (a *Alerts) checkSilence(ctx context.Context, s *link.Site, quiet *Silence) {
	switch silent, hearing := quiet.of(s.ID, time.Now()); hearing {
	case unusualSilence:
		a.begin(ctx, CauseSilence, s.ID, a.silenceText(s.ID, silent))
	case usualSilence:
		a.end(ctx, CauseSilence, s.ID, a.heardText(s.ID))
	case unknownSilence: // neither
	}
}

// checkParks brings the alerts to what is parked: a worker that died between the two cannot say so.
func (a *Alerts) checkParks(ctx context.Context, file *link.File, all []stored) {
	parks, err := a.queue.Parks(ctx)
	if err != nil {
		return
	}
	parked := map[string]bool{}
	for _, p := range parks {
		if parked[p.Scope] = inFile(file, p.Scope); parked[p.Scope] {
			a.begin(ctx, CauseParked, p.Scope, a.parkedText(p.Scope))
		}
	}
	for _, scope := range raised(all, CauseParked) {
		if !parked[scope] && inFile(file, scope) {
			a.end(ctx, CauseParked, scope, a.goesOnText(scope))
		}
	}
}

// endOfRemoved ends the alerts of what is in the file no longer, but for what such a link loses.
func (a *Alerts) endOfRemoved(ctx context.Context, file *link.File, all []stored) {
	for cause, there := range map[Cause]func(subject string) bool{
		CauseParked:      func(scope string) bool { return inFile(file, scope) },
		CauseLostRetries: func(id string) bool { return file.Link(id) != nil },
		CauseDeadLetters: func(id string) bool { return file.Link(id) != nil },
		CauseSilence:     func(id string) bool { return file.Site(id) != nil },
		CauseUnread:      func(id string) bool { return file.Site(id) != nil },
		CauseAside:       func(id string) bool { return file.Site(id) != nil },
	} {
		for _, subject := range raised(all, cause) {
			if !there(subject) {
				a.end(ctx, cause, subject, a.goneText(subject))
			}
		}
	}
}

func inFile(file *link.File, scope string) bool {
	if id, ok := event.LinkOf(scope); ok {
		return file.Link(id) != nil
	}
	return file.Destination(endpointOf(scope)) != nil
}

// endpointOf is the destination of a scope that is no link's.
func endpointOf(scope string) string {
	name, _ := event.EndpointOf(scope)
	return name
}

// raised lists the subjects of a cause that are raised.
func raised(all []stored, cause Cause) []string {
	var subjects []string
	for _, w := range all {
		if w.raised() && w.Cause == cause {
			subjects = append(subjects, w.Subject)
		}
	}
	return subjects
}

// Parked notes at once that the worker has parked a link or an endpoint, by the scope of the park.
func (a *Alerts) Parked(ctx context.Context, scope string) {
	a.begin(ctx, CauseParked, scope, a.parkedText(scope))
}

// Unparked notes at once that a link or an endpoint goes on.
func (a *Alerts) Unparked(ctx context.Context, scope string) {
	a.end(ctx, CauseParked, scope, a.goesOnText(scope))
}

// Abandoned notes that a link has lost its oldest events because the disk is full. It is over when the
// log has room, see Streams.
func (a *Alerts) Abandoned(ctx context.Context, id string, events int) {
	a.begin(ctx, CauseAbandoned, id, a.abandonedText(id, events))
}

// LostRetries notes how many events wait for a link and have no retry; 0 ends the alert.
func (a *Alerts) LostRetries(ctx context.Context, id string, events int) {
	if events == 0 {
		a.end(ctx, CauseLostRetries, id, a.notLostText(id))
		return
	}
	a.begin(ctx, CauseLostRetries, id, a.lostText(id, events))
}

// UnreadDays notes how many days of a site the API has not listed for an hour; 0 ends the alert.
func (a *Alerts) UnreadDays(ctx context.Context, site string, days int) {
	if days == 0 {
		a.end(ctx, CauseUnread, site, a.readText(site))
		return
	}
	a.begin(ctx, CauseUnread, site, a.unreadText(site, days))
}

// FileRefused notes that the changed configuration file is refused.
func (a *Alerts) FileRefused(ctx context.Context, path string) {
	a.begin(ctx, CauseConfig, filepath.Base(path), a.configText())
}

// FileTaken notes that the configuration file on disk is in force.
func (a *Alerts) FileTaken(ctx context.Context, path string) {
	a.end(ctx, CauseConfig, filepath.Base(path), a.configRightText())
}

// queueEvery is how often it is asked whether events can be stored, queueAway how long they cannot
// before a person is called: a restart of the server is shorter.
const (
	queueEvery = 10 * time.Second
	queueAway  = 2 * time.Minute
)

// WatchQueue calls a person when events cannot be stored, as ready says, until ctx ends. Each process
// does, and keeps how far it is in memory: STATE is away with the rest. So a restart in the meantime
// calls again.
func (a *Alerts) WatchQueue(ctx context.Context, ready func(context.Context) error) error {
	host, _ := os.Hostname()
	x, since := alert{Cause: CauseQueue, Subject: host}, time.Time{}
	for {
		now := time.Now().UTC()
		switch err := ready(ctx); {
		case err == nil:
			since = time.Time{}
			x, _ = x.end(a.queueText(host), now, a.pace.calm)
			a.storeAgain(ctx) // ingest notes alerts that the worker sends
		case ctx.Err() != nil:
			return nil
		case since.IsZero():
			since = now
		case now.Sub(since) >= a.pace.away:
			x, _ = x.begin(a.queueAwayText(host), now)
		}
		x = a.sendLocal(ctx, x, now)
		if wait.Sleep(ctx, min(queueEvery, a.pace.every)) != nil {
			return nil
		}
	}
}

// sendLocal tries the notice of an alert that is kept in memory, where one is due.
func (a *Alerts) sendLocal(ctx context.Context, x alert, now time.Time) alert {
	if a.receiver == nil || !x.unsent() || now.Before(x.Next) {
		return x
	}
	tried := x.try(now, a.pause(x.Tries))
	if _, err := a.receiver.post(ctx, x.notice()); err != nil {
		if ctx.Err() == nil {
			a.notTaken(tried, err)
		}
		return tried
	}
	sent, _ := tried.sent(x, now, a.pace.calm)
	return sent
}

// A stream's alert rings above diskFull of its bound and is over below diskOver: making room goes
// further down than that.
const (
	diskFull = 0.80
	diskOver = 0.75
)

// Streams notes how full the streams are, with hysteresis. What was abandoned is over when the log has
// room.
func (a *Alerts) Streams(ctx context.Context, sizes []queue.StreamSize) {
	for _, s := range sizes {
		switch share := s.Share(); {
		case s.Limit == 0:
		case share > diskFull:
			a.begin(ctx, CauseDisk, s.Stream, a.fullText(s))
		case share < diskOver:
			a.end(ctx, CauseDisk, s.Stream, a.roomText(s.Stream))
			if s.Stream == queue.StreamEvents {
				a.endAbandoned(ctx)
			}
		}
	}
}

// endAbandoned ends the alert of every link that has lost events.
func (a *Alerts) endAbandoned(ctx context.Context) {
	all, err := a.all(ctx)
	if err != nil {
		return // tried again with the next check
	}
	for _, id := range raised(all, CauseAbandoned) {
		a.end(ctx, CauseAbandoned, id, a.keptText(id))
	}
}

// When too much of a site is set aside: more than asideMost hundredths of what came in the last
// asideSpan, where that was asideLeast or more; over at asideOver, so that a share that stays about
// the bound does not ring again and again.
const (
	asideSpan  = time.Hour
	asideLeast = 20
	asideMost  = 5
	asideOver  = 3
)

// checkAside compares the share that is set aside. It is counted in the store, so that several processes
// say the same.
func (a *Alerts) checkAside(ctx context.Context, site *link.Site) {
	events, asides, err := a.queue.CountSince(ctx, site.ID, time.Now().Add(-asideSpan))
	if err != nil {
		return // tried again with the next check
	}
	received := events + asides
	switch enough := received >= asideLeast; {
	case enough && 100*asides > asideMost*received:
		a.begin(ctx, CauseAside, site.ID, a.asideText(site, asides, received))
	case enough && 100*asides <= asideOver*received, asides == 0:
		a.end(ctx, CauseAside, site.ID, a.notAsideText(site))
	}
}
