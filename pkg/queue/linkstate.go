package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// LinkState is what STATE knows of a link. Start and subjects are written once, and changed by
// ResetLink alone: another filter would drop, without a word, what the old one has not delivered
// yet, and two workers with different files would flip it.
type LinkState struct {
	ID       string    `json:"id"`
	Start    time.Time `json:"start"`
	Subjects []string  `json:"subjects"` // sorted
	Paused   Pause     `json:"paused,omitempty"`
	// Stop says by whom, why and when a stopped link was stopped; nil where a version before stopped it.
	Stop *Stop `json:"stop,omitempty"`
	// CheckTo is a place in EVENTS: up to there each event is looked up in HISTORY before it is
	// handled, because the link's consumer was created anew and reads again what it had read.
	CheckTo uint64 `json:"check_to,omitempty"`
	Opened  bool   `json:"opened,omitempty"` // it has had a consumer
	// Born is the end of HISTORY when the link was registered. A link of this id that was removed
	// before has abandoned events there; they are not this one's.
	Born uint64 `json:"born,omitempty"`
	// Resetting says that the consumer on EVENTS is still to be made anew as the rest of this says:
	// a reset was interrupted, or is under way.
	Resetting bool `json:"resetting,omitempty"`

	revision uint64
}

// Stop is a person's stopping of a link.
type Stop struct {
	By  string    `json:"by,omitempty"`
	Why string    `json:"why,omitempty"`
	At  time.Time `json:"at,omitzero"`
}

// Pause says why a link is paused.
type Pause string

// The reasons. A link that is gone goes on when it is back in the file, a stopped one does not.
const (
	Running Pause = ""
	Stopped Pause = "stopped" // a person stopped it
	Gone    Pause = "gone"    // it left the file
)

// pausedUntil is how long a pause lasts that nobody ends.
var pausedUntil = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// resumeIn is how soon a resumed consumer goes on. A pause that ends by the server's clock wakes the
// requests that wait; one that is taken back leaves them asleep until they run out.
const resumeIn = 200 * time.Millisecond

// registry holds what STATE knows of links, and pauses their consumers.
type registry struct {
	jet   *jet.Client
	state *jet.Bucket
}

// Register writes a link's start and subjects to STATE, unless they stand there, and returns what
// stands. Ingest calls it too, so that a link's start is the first run of either.
func (q *Queue) Register(ctx context.Context, s LinkSpec) (LinkState, error) {
	if err := checkLink(s); err != nil {
		return LinkState{}, err
	}
	state, err := q.registry.get(ctx, s.ID)
	if !errors.Is(err, ErrNotFound) {
		return state, err
	}
	fresh := LinkState{ID: s.ID, Start: s.Since.UTC(), Subjects: sorted(s.Subjects)}
	if s.Since.IsZero() {
		fresh.Start = time.Now().UTC()
	}
	if err := q.registry.inherit(ctx, &fresh); err != nil {
		return LinkState{}, err
	}
	if _, err := q.state.Create(ctx, event.LinkKeys.Of(s.ID), fresh); err != nil && !errors.Is(err, ErrConflict) {
		return LinkState{}, err
	}
	return q.registry.get(ctx, s.ID)
}

// inherit sets what a new record of a link says of a removed link of the same id: where that one's
// history ends, and that what it had delivered is looked up.
func (r registry) inherit(ctx context.Context, fresh *LinkState) (err error) {
	if fresh.Born, err = r.jet.LastSequence(ctx, event.HistoryStream); err != nil {
		return err
	}
	var at time.Time
	_, err = r.state.Get(ctx, event.RemovedKeys.Of(fresh.ID), &at)
	fresh.Opened = err == nil
	return jet.Ignore(err, ErrNotFound)
}

func checkLink(s LinkSpec) error {
	if len(s.ID) == 0 || len(s.ID) > 32 || s.ID != strings.ToLower(s.ID) || !token(s.ID) || strings.Contains(s.ID, "_") || s.ID[0] == '-' {
		return fmt.Errorf("link id %q is not of the form [a-z0-9][a-z0-9-]{0,31}", s.ID)
	}
	if len(s.Subjects) == 0 {
		return fmt.Errorf("link %s reads no subject", s.ID)
	}
	return nil
}

// get reads a link's record.
func (r registry) get(ctx context.Context, id string) (LinkState, error) {
	var state LinkState
	revision, err := r.state.Get(ctx, event.LinkKeys.Of(id), &state)
	if err != nil {
		return LinkState{}, err
	}
	state.revision = revision
	return state, nil
}

// change changes a link's record, again when somebody else was faster.
func (r registry) change(ctx context.Context, id string, change func(*LinkState)) (LinkState, error) {
	for {
		state, err := r.get(ctx, id)
		if err != nil {
			return LinkState{}, err
		}
		change(&state)
		state.revision, err = r.state.Update(ctx, event.LinkKeys.Of(id), state, state.revision)
		if !errors.Is(err, ErrConflict) {
			return state, err
		}
	}
}

// Links lists every link that STATE knows, by id.
func (q *Queue) Links(ctx context.Context) ([]LinkState, error) {
	entries, err := q.state.List(ctx, string(event.LinkKeys))
	if err != nil {
		return nil, err
	}
	out := make([]LinkState, len(entries))
	for i, e := range entries {
		if err := json.Unmarshal(e.Value, &out[i]); err != nil {
			return nil, fmt.Errorf("state %s: %w", e.Key, err)
		}
		out[i].revision = e.Revision
	}
	return out, nil
}

// PauseLink pauses both consumers of a link, which keeps its place; what is in flight is finished.
// Gone does not overwrite Stopped. ErrNotFound: STATE does not know the link.
func (q *Queue) PauseLink(ctx context.Context, id string, why Pause) error {
	if why == Running {
		return q.ResumeLink(ctx, id)
	}
	return q.pauseLink(ctx, id, func(s *LinkState) {
		if s.Paused != Stopped {
			s.Paused = why
		}
	})
}

// StopLink is PauseLink by a person, of whom it keeps the name, why and when. A link that is stopped already takes
// the new ones.
func (q *Queue) StopLink(ctx context.Context, id string, stop Stop) error {
	return q.pauseLink(ctx, id, func(s *LinkState) { s.Paused, s.Stop = Stopped, &stop })
}

func (q *Queue) pauseLink(ctx context.Context, id string, how func(*LinkState)) error {
	_, err := q.registry.change(ctx, id, how)
	if err != nil {
		return fmt.Errorf("pause link %s: %w", id, err)
	}
	return q.registry.pause(ctx, id, pausedUntil)
}

// ResumeLink lets both consumers of a link go on. The consumers come before the record: a crash in
// between leaves a link that STATE calls paused and the next start pauses again, never one that
// looks alive and stands still.
func (q *Queue) ResumeLink(ctx context.Context, id string) error {
	if err := q.registry.pause(ctx, id, time.Time{}); err != nil {
		return err
	}
	if _, err := q.registry.change(ctx, id, func(s *LinkState) { s.Paused, s.Stop = Running, nil }); err != nil {
		return fmt.Errorf("resume link %s: %w", id, err)
	}
	return q.registry.pause(ctx, id, time.Time{}) // once more: a worker that had read STATE before may have paused them meanwhile
}

// settlePause brings the consumers to what STATE says by now, where a person has stopped or started the link since it said
// what they were made by. It returns what it says.
func (r registry) settlePause(ctx context.Context, id string, madeBy Pause) (Pause, error) {
	now, err := r.get(ctx, id)
	switch {
	case err != nil:
		return madeBy, err
	case now.Paused == Running && madeBy != Running:
		err = r.pause(ctx, id, time.Time{})
	case now.Paused != Running && madeBy == Running:
		err = r.pause(ctx, id, pausedUntil)
	}
	return now.Paused, err
}

// pause sets until when both consumers of a link pause; zero: no longer. Those that do
// not exist yet are created paused, see consumerConfig.
func (r registry) pause(ctx context.Context, id string, until time.Time) error {
	for _, stream := range []string{event.EventsStream, event.RetriesStream} {
		c, err := r.jet.JetStream().Consumer(ctx, stream, ConsumerName(id))
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue
		}
		if err != nil {
			return jet.Describe("pause or resume link "+id, err)
		}
		end := until
		if end.IsZero() {
			end = c.CachedInfo().TimeStamp.Add(resumeIn)
		}
		if _, err := r.jet.JetStream().PauseConsumer(ctx, stream, ConsumerName(id), end); err != nil {
			return jet.Describe("pause or resume link "+id, err)
		}
	}
	return nil
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}
