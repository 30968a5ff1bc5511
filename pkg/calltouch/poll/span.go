package poll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/defaults"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Ledger tells what Touchbox holds.
type Ledger interface {
	// Lookup tells what became of an event.
	Lookup(ctx context.Context, key event.Key) (Fate, error)
	// Horizon is the moment before which nothing is stored any more, because retention has
	// purged what happened then; the zero time when it has purged nothing.
	Horizon(ctx context.Context) (time.Time, error)
}

// Fate is what became of an event.
type Fate struct {
	Stored   bool                     // it is in EVENTS, or its tombstone is
	Outcomes map[string]event.Outcome // the newest, by id of the link that may take it
}

// Span is a span of days of one site to be read back, for Backfill and Gaps. Site, From, To,
// State and Ledger are required.
type Span struct {
	Site     calltouch.Site
	From, To calltouch.Day // in the cabinet's zone, both included; days to come are left out
	Kinds    []event.Kind  // event.CallEnded, event.Request; none = both
	State    State
	Ledger   Ledger
	Sites    []calltouch.Site                      // all of the file: a record of another of them is passed over
	HTTP     *http.Client                          // nil = one of this package's own
	Limiter  *api.Limiter                          // nil = CommandLimiter()
	Progress func(Progress)                        // called now and then; may be nil
	Waiting  func(err error, before time.Duration) // a day was not read and will be tried again; may be nil
}

// Progress is how far a command has come.
type Progress struct {
	Day     calltouch.Day
	Kind    event.Kind
	Step    int // of Steps, which are days times kinds; those before it are done
	Steps   int
	Records int           // in the answers so far
	Left    time.Duration // an estimate; 0 when there is none yet
}

// step is one day of one kind: one question to Calltouch.
type step struct {
	day  calltouch.Day
	kind event.Kind
}

var errStarted = errors.New("calls are listed when they are over: use call.ended or request")

// steps checks the span and cuts it into questions.
func (s Span) steps(now time.Time) ([]step, error) {
	kinds := s.Kinds
	if len(kinds) == 0 {
		kinds = []event.Kind{event.CallEnded, event.Request}
	}
	if slices.Contains(kinds, event.CallStarted) {
		return nil, errStarted
	}
	if s.To.Before(s.From) {
		return nil, fmt.Errorf("the span ends on %s, before it begins on %s", s.To, s.From)
	}
	if s.Site.APIToken == nil {
		return nil, fmt.Errorf("site %s has no API token: without one Calltouch cannot be asked", s.Site.ID)
	}
	last := s.To
	if today := s.day(now); today.Before(last) {
		last = today
	}
	var steps []step
	for d := range calltouch.Days(s.From, last) {
		for _, k := range kinds {
			steps = append(steps, step{d, k})
		}
	}
	return steps, nil
}

func (s Span) day(t time.Time) calltouch.Day { return s.Site.Day(t) }

// unfinished reports what is not missing yet: a call that goes on, and what its hook, or the next
// poll, may still bring.
func (s Span) unfinished(r calltouch.Listed, now time.Time) bool {
	if r.Kind == event.CallEnded {
		return r.InProgress(now) || r.Younger(s.Site.Journal.Grace, now)
	}
	if s.Site.Requests.From == calltouch.RequestsFromHook {
		return r.Younger(s.Site.Requests.Grace, now)
	}
	return r.Younger(cmp.Or(s.Site.Requests.Every, defaults.RequestsEvery), now)
}

// reading is one walk through a span.
type reading struct {
	span   Span
	steps  []step
	client *api.Client
	seen   seen
	begun  time.Time
	before int // steps that were done when it began

	succeeded int // steps

	mu      sync.Mutex
	records int
}

func (s Span) newReading(steps []step, before int) *reading {
	return &reading{
		span: s, steps: steps, before: before, begun: time.Now(), client: clientOf(&s.Site, s.HTTP, s.limiter()),
	}
}

func (s Span) limiter() *api.Limiter {
	if s.Limiter == nil {
		return CommandLimiter()
	}
	return s.Limiter
}

// secondListing is for how many steps a record is remembered, in case a neighbouring day lists it,
// too: two days of two kinds.
const secondListing = 4

// progressEvery is after how many records of one answer progress is told.
const progressEvery = 1000

// UnreadError reports the days that Calltouch did not list, however often it was asked, while it
// listed others.
type UnreadError struct {
	Days []calltouch.Day // in order, each once
	Err  error           // why the last of them was not
}

// Error names the days.
func (e *UnreadError) Error() string {
	names := make([]string, len(e.Days))
	for i, d := range e.Days {
		names[i] = d.String()
	}
	return fmt.Sprintf("not read: %s: %s", strings.Join(names, ", "), e.Err)
}

// Unwrap gives the reason.
func (e *UnreadError) Unwrap() error { return e.Err }

// mostTries is how often a step is asked for while others succeed: the last wait is a minute.
const mostTries = 8

// readAll reads the steps that are left, in order; one that fails is asked for again behind the
// others. done is told of each that was read. A refusal and the end of ctx are returned at once.
// While no step succeeds it goes on asking, because then it is Calltouch that is away; what alone
// fails mostTries times is given up, as an *UnreadError at the end.
func (r *reading) readAll(ctx context.Context, left []int, each func(ctx context.Context, i int, rec calltouch.Listed) error, done func(i int, left []int)) error {
	waits, tries := newWaits(), map[int]int{}
	var unread []int
	var why error
	for len(left) > 0 {
		i := left[0]
		left = slices.Clone(left[1:])
		err := r.read(ctx, i, func(ctx context.Context, rec calltouch.Listed) error { return each(ctx, i, rec) })
		switch {
		case err == nil:
			waits.Reset()
			open := slices.Concat(left, unread)
			done(i, open)
			r.seen.forget(int64(slices.Min(append(open, i)) - secondListing))
			continue
		case ctx.Err() != nil || refused(err):
			return err
		}
		if tries[i]++; tries[i] >= mostTries && r.succeeded > 0 {
			unread, why = append(unread, i), err
			continue
		}
		left = append(left, i)
		pause := askedAgain(waits, err)
		r.waiting(err, pause)
		if err := wait.Sleep(ctx, pause); err != nil {
			return err
		}
	}
	if len(unread) > 0 {
		return &UnreadError{Days: r.days(unread), Err: why}
	}
	return nil
}

func (r *reading) days(steps []int) []calltouch.Day {
	var days []calltouch.Day
	for _, i := range steps {
		days = append(days, r.steps[i].day)
	}
	slices.SortFunc(days, calltouch.Day.Compare)
	return slices.Compact(days)
}

// read asks once for one step and hands every record on once, several at a time: one that lies
// outside of the span, as when an answer lists tomorrow, is left out, and one that an answer lists
// a second time, too. A record that fails does not stop the others.
func (r *reading) read(ctx context.Context, i int, each func(context.Context, calltouch.Listed) error) error {
	st := r.steps[i]
	ask := r.client.Calls
	if st.kind == event.Request {
		ask = r.client.Requests
	}
	r.tell(i)
	records := newInFlight(ctx)
	err := ask(ctx, st.day, func(rec calltouch.Listed) error {
		if !r.wants(rec, i) {
			return records.over()
		}
		return records.begin(func(ctx context.Context) error {
			err := each(ctx, rec)
			if err != nil {
				r.seen.drop(rec.Hash())
			}
			return err
		})
	})
	if err = records.finish(err); err == nil {
		r.mu.Lock()
		r.succeeded++
		r.mu.Unlock()
	}
	return err
}

// wants reports whether a record of step i is to be handed on.
func (r *reading) wants(rec calltouch.Listed, i int) bool {
	if !rec.Time.IsZero() {
		if d := r.span.day(rec.Time); d.Before(r.span.From) || r.span.To.Before(d) {
			return false
		}
	}
	if !r.seen.claim(rec.Hash(), int64(i)) {
		return false
	}
	r.mu.Lock()
	r.records++
	told := r.records%progressEvery == 0
	r.mu.Unlock()
	if told {
		r.tell(i)
	}
	return true
}

// tell reports progress within step i; i may be one past the last.
func (r *reading) tell(i int) {
	if r.span.Progress == nil {
		return
	}
	r.mu.Lock()
	p := Progress{Step: r.before + r.succeeded, Steps: len(r.steps), Records: r.records}
	r.mu.Unlock()
	if len(r.steps) > 0 {
		st := r.steps[min(i, len(r.steps)-1)]
		p.Day, p.Kind = st.day, st.kind
	}
	if done := p.Step - r.before; done > 0 {
		p.Left = time.Since(r.begun) / time.Duration(done) * time.Duration(len(r.steps)-p.Step)
	}
	r.span.Progress(p)
}

func (r *reading) waiting(err error, before time.Duration) {
	if r.span.Waiting != nil {
		r.span.Waiting(err, before)
	}
}

// refused reports that a person must act before asking again makes sense.
func refused(err error) bool {
	answer, ok := errors.AsType[*api.Error](err)
	return ok && answer.Refused()
}
