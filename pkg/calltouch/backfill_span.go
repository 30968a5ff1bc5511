package calltouch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
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
	Site     Polled
	From, To Day          // in the cabinet's zone, both included; days to come are left out
	Kinds    []event.Kind // event.CallEnded, event.Request; none = both
	State    State
	Ledger   Ledger
	HTTP     *http.Client                          // nil = one over http.DefaultTransport
	Limiter  *Limiter                              // nil = CommandLimiter()
	Progress func(Progress)                        // called now and then; may be nil
	Waiting  func(err error, before time.Duration) // a day was not read and will be tried again; may be nil
}

// Progress is how far a command has come.
type Progress struct {
	Day     Day
	Kind    event.Kind
	Step    int // of Steps, which are days times kinds; those before it are done
	Steps   int
	Records int           // in the answers so far
	Left    time.Duration // an estimate; 0 when there is none yet
}

// step is one day of one kind: one question to Calltouch.
type step struct {
	day  Day
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
	if s.Site.Token == nil {
		return nil, fmt.Errorf("site %s has no API token: without one Calltouch cannot be asked", s.Site.ID)
	}
	last := s.To
	if today := s.day(now); today.Before(last) {
		last = today
	}
	var steps []step
	for d := range Days(s.From, last) {
		for _, k := range kinds {
			steps = append(steps, step{d, k})
		}
	}
	return steps, nil
}

func (s Span) day(t time.Time) Day { return DayOf(t, s.Site.View.zone()) }

// unfinished reports what is not missing yet: a call that goes on, and what its hook, or the next
// poll, may still bring.
func (s Span) unfinished(r Listed, now time.Time) bool {
	if r.Kind == event.CallEnded {
		return r.inProgress() || r.younger(s.Site.Journal.Grace, now)
	}
	if s.Site.Requests.FromHook {
		return r.younger(s.Site.Requests.Grace, now)
	}
	return r.younger(cmp.Or(s.Site.Requests.Every, time.Minute), now)
}

// reading is one walk through a span.
type reading struct {
	span   Span
	steps  []step
	client *Client
	seen   seen
	begun  time.Time
	first  int // the step it began with

	mu      sync.Mutex
	records int
}

func (s Span) reading(steps []step, first int) *reading {
	return &reading{span: s, steps: steps, first: first, begun: time.Now(), client: &Client{
		Site: s.Site.ID, Base: s.Site.Base, Token: s.Site.Token, HTTP: s.HTTP, Limiter: s.limiter(),
		Location: s.Site.View.zone(), Attribution: s.Site.Attribution,
	}}
}

func (s Span) limiter() *Limiter {
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

// read asks for one step until it succeeds and hands every record on once, several at a time: one
// that lies outside of the span, as when an answer lists tomorrow, is left out, and one that an
// answer lists a second time, too. Errors, those of each included, are tried again; a refusal and
// the end of ctx are returned.
func (r *reading) read(ctx context.Context, i int, each func(context.Context, Listed) error) error {
	st := r.steps[i]
	ask := r.client.Calls
	if st.kind == event.Request {
		ask = r.client.Requests
	}
	r.tell(i)
	err := retry(ctx, func() error {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(offersInHand)
		err := ask(ctx, st.day, func(rec Listed) error {
			if !r.wants(rec, i) {
				return ctx.Err()
			}
			group.Go(func() error {
				err := each(ctx, rec)
				if err != nil {
					r.seen.drop(rec.hash())
				}
				return err
			})
			return ctx.Err()
		})
		return cmp.Or(group.Wait(), err)
	}, refused, r.waiting)
	r.seen.forget(int64(i - secondListing))
	return err
}

// wants reports whether a record of step i is to be handed on.
func (r *reading) wants(rec Listed, i int) bool {
	if !rec.Time.IsZero() {
		if d := r.span.day(rec.Time); d.Before(r.span.From) || r.span.To.Before(d) {
			return false
		}
	}
	if !r.seen.claim(rec.hash(), int64(i)) {
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
	p := Progress{Step: i, Steps: len(r.steps), Records: r.records}
	r.mu.Unlock()
	if len(r.steps) > 0 {
		st := r.steps[min(i, len(r.steps)-1)]
		p.Day, p.Kind = st.day, st.kind
	}
	if done := i - r.first; done > 0 {
		p.Left = time.Since(r.begun) / time.Duration(done) * time.Duration(len(r.steps)-i)
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
	var api *APIError
	return errors.As(err, &api) && api.Refused()
}
