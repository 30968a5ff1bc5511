// Package admin is what an operator may ask of a running Touchbox and do to it: why an event did
// or did not reach Mindbox, what waits, what died, and how to mend it.
//
// It is one Go API over the queue. Commands parse flags and print; they decide nothing. The
// package knows nothing of Mindbox, and of Calltouch only in which texts of an event a person may
// stand and how to look again at what was set aside: whoever makes an Admin gives it a way to read an event's fields.
// Values that come out of it may hold personal data; what is shown of them is a view, made by a Mask.
//
//	view, mask        what is shown: one form and one mask for commands, console and API; moment: times as people give them
//	words             what is stored by a code, in words; stored_words: what the audit and jobs say in English, in a person's language
//	outcomes          the rule of what became of an event, and the counts
//	outcome_index     each event's outcome by its place, in blocks (outcome_block); outcome_keep: kept ahead by a worker, so that nobody
//	                  reads the whole history; outcome_sums: what it counts; hours: the same hour by hour; places: events by their outcome
//	board             the read model of a process that shows all this to many; board_read: its one reader; ring: the newest events;
//	                  dead: an index of DEADLETTERS; standing: how links and sites stand; attention: what needs a person
//	causes            dead letters by why they died
//	events, follow    many events; timeline: all that is known of one; story: with each condition's verdict and its body
//	failed, aside     what waits, what died, what came and is no event; and what one does to them; identify: a second look at it
//	select            which events to give back to their links; replay_item: one of them, as what; replay: the run that does it;
//	                  previewed: one that was told of before; pick: some of them, where somebody waits
//	jobs, work        bulk work that outlives the process that works at it; job_run: who works at it; job_do, backfill: at what
//	rows, part        lists without an end, one row after the other; a long list part by part, from its newest end
//	links, linkchange how links stand; what the file changes of them, resets and removals
//	versions          links as they were, and in what two versions differ
//	audit             who changed or saw what
//	side, differ      what a version of a link makes of an event; in what two requests differ
//	sift              which stored events can be tried
//	try, try_tally    a change of the file on stored events; nothing is sent
//	compare           two links on the same events; a link beside a list of ids
//	forecast          the same of a replay, before it
//	lookup            events by a phone number; cards: what file and queue hold of a link, a site, the whole
//	asked             what of a filter that a person names there is
//	session           who has signed in to the console
//	person            whom erase looks for, in every spelling
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
	"github.com/touchbox/touchbox/pkg/queue"
)

// Admin asks and acts. Queue and File are required.
type Admin struct {
	Queue *queue.Queue
	File  *link.File

	// Actor is who asks and acts: each change, and whatever is shown unmasked, is written into the audit under
	// this name.
	Actor Actor

	// Fields reads an event into the vocabulary that links speak. Nil: the
	// preview of a replay says that it cannot.
	Fields func(event.Event) (map[string]any, error)

	// Reads is Fields for another file than File: the sites of each say how their events are read. Nil: all
	// events are read by Fields.
	Reads func(*link.File) func(event.Event) (map[string]any, error)

	// MayHaveRun reports whether an attempt that ended for a reason may have been executed without
	// saying so. It is asked about records of the versions before records held the pin. Nil: it may.
	MayHaveRun func(reason string) bool

	// Scans is told how far a read of a whole stream has come, by one goroutine; nil tells nobody.
	Scans func(Scanned)

	// Backfill fetches past days. Nil: a job that is to do so fails.
	Backfill Backfill

	// Board is what this process keeps of the last days for all who look; nil: each question reads for itself.
	Board *Board

	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Scanned is how far a read of a whole stream has come.
type Scanned struct {
	Stream      string // event.EventsStream or event.HistoryStream
	Done, Total uint64 // messages
}

// scanning is who is told of a read of a stream; nil when nobody asks. Not each message is told of.
func (a Admin) scanning(stream string) queue.Told {
	if a.Scans == nil {
		return nil
	}
	return func(done, total uint64) {
		if done%scanEach == 0 || done == total {
			a.Scans(Scanned{stream, done, total})
		}
	}
}

// scanEach is how many messages are read between two words of it.
const scanEach = 256

// ErrNoLink reports an id that neither the file nor the queue knows.
var ErrNoLink = errors.New("no such link")

// errNoFields is that of an Admin that was made without Fields.
var errNoFields = errors.New("the fields of events cannot be read here")

func (a Admin) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

func (a Admin) fields(e event.Event) (map[string]any, error) {
	if a.Fields == nil {
		return nil, errNoFields
	}
	return a.Fields(e)
}

// reads is how the events of a file's sites are read.
func (a Admin) reads(file *link.File) func(event.Event) (map[string]any, error) {
	if a.Reads == nil {
		return a.fields
	}
	return a.Reads(file)
}

// linkInfo is a link as the file and the queue know it. One of the two may be missing: a link that
// no worker has run yet, or one that left the file.
type linkInfo struct {
	id       string
	file     *link.Link // nil: it is not in the file
	state    queue.LinkState
	stored   bool // the queue knows it
	subjects []string
	start    time.Time
}

// links merges the file's links with those that the queue remembers, sorted by id. What the queue
// remembers decides about subjects and start: they are written once.
func (a Admin) links(ctx context.Context) ([]linkInfo, error) {
	states, err := a.Queue.Links(ctx)
	if err != nil {
		return nil, err
	}
	var all []linkInfo
	for _, s := range states {
		all = append(all, linkInfo{id: s.ID, file: a.File.Link(s.ID), state: s, stored: true, subjects: s.Subjects, start: s.Start})
	}
	for _, l := range a.File.Links {
		if slices.ContainsFunc(all, func(k linkInfo) bool { return k.id == l.ID }) {
			continue
		}
		start := l.Since
		if start.IsZero() {
			start = a.now() // it will start when a worker first runs it
		}
		all = append(all, linkInfo{id: l.ID, file: l, subjects: l.Subjects(), start: start})
	}
	slices.SortFunc(all, func(x, y linkInfo) int { return cmp.Compare(x.id, y.id) })
	return all, nil
}

func noLink(id string) error { return fmt.Errorf("%w: %s", ErrNoLink, id) }

// link finds one of links. ErrNoLink.
func (a Admin) link(ctx context.Context, id string) (linkInfo, error) {
	all, err := a.links(ctx)
	if err != nil {
		return linkInfo{}, err
	}
	for _, k := range all {
		if k.id == id {
			return k, nil
		}
	}
	return linkInfo{}, noLink(id)
}

// reads reports whether the event is among those that the link reads.
func (k linkInfo) reads(key event.Key) bool {
	return slices.Contains(k.subjects, event.SubjectOf(key.Site, key.Kind))
}

// unrecorded is the outcome of an event of the link as long as HISTORY knows none.
func (k linkInfo) unrecorded(e event.Event) event.Outcome {
	if event.Taken(e, k.start) {
		return event.Waiting
	}
	return event.Untaken
}

// Knows reports whether there is a link of this id, in the file or in the queue, or was one: it was removed, or has dead letters.
func (a Admin) Knows(ctx context.Context, id string) (bool, error) {
	_, err := a.link(ctx, id)
	if !errors.Is(err, ErrNoLink) {
		return err == nil, err
	}
	if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" { // a link cannot be called so; "*" would be all of them
		return false, nil
	}
	var removed time.Time
	if _, err := a.Queue.State().Get(ctx, event.RemovedKeys.Of(id), &removed); !errors.Is(err, queue.ErrNotFound) {
		return err == nil, err
	}
	_, n, err := a.Queue.OldestDeadLetters(ctx, queue.Filter{Link: id}, 1)
	return n > 0, err
}

// ErrUnknown reports what was never stored, or is kept no longer.
var ErrUnknown = queue.ErrNotFound

// Refusal is the error, among those that a person can do something about, that err is; nil where it is none of them.
// Its own words say what to do.
func Refusal(err error) error {
	for _, one := range []error{
		ErrNotReplayable, ErrRevision, ErrNotInFile, ErrInFile, ErrInUse, ErrGone, ErrNothingRuns, ErrShadow, ErrNoPreview, ErrGrown, ErrJobEnded, ErrNoWhy, ErrDays, ErrNoToken, ErrNoSite, queue.ErrUnderWay, queue.ErrHeld, queue.ErrConflict, queue.ErrFull,
	} {
		if errors.Is(err, one) {
			return one
		}
	}
	return nil
}
