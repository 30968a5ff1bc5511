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
)

// LinkState is what STATE knows of a link. Start and subjects are written once, and changed by
// ResetLink alone: another filter would drop, without a word, what the old one has not delivered
// yet, and two workers with different files would flip it.
type LinkState struct {
	ID       string    `json:"id"`
	Start    time.Time `json:"start"`
	Subjects []string  `json:"subjects"` // sorted
	Paused   Pause     `json:"paused,omitempty"`
	// CheckTo is a place in EVENTS: up to there each event is looked up in HISTORY before it is
	// handled, because the link's consumer was created anew and reads again what it had read.
	CheckTo uint64 `json:"check_to,omitempty"`
	Opened  bool   `json:"opened,omitempty"` // it has had a consumer
	// Resetting says that the consumer on EVENTS is still to be made anew as the rest of this says:
	// a reset was interrupted, or is under way.
	Resetting bool `json:"resetting,omitempty"`

	revision uint64
}

// Pause says why a link is paused.
type Pause string

// The reasons. A link that is gone goes on when it is back in the file, a stopped one does not.
const (
	Running Pause = ""
	Stopped Pause = "stopped" // a person stopped it
	Gone    Pause = "gone"    // it left the file
)

const linkKeys = "link."

// pausedUntil is how long a pause lasts that nobody ends.
var pausedUntil = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// resumeIn is how soon a resumed consumer goes on. A pause that ends by the server's clock wakes the
// requests that wait; one that is taken back leaves them asleep until they run out.
const resumeIn = 200 * time.Millisecond

// Register writes a link's start and subjects to STATE, unless they stand there, and returns what
// stands. Ingest calls it too, so that a link's start is the first run of either.
func (q *Queue) Register(ctx context.Context, s LinkSpec) (LinkState, error) {
	if err := checkLink(s); err != nil {
		return LinkState{}, err
	}
	state, err := q.linkState(ctx, s.ID)
	if !errors.Is(err, ErrNotFound) {
		return state, err
	}
	fresh := LinkState{ID: s.ID, Start: s.Since.UTC(), Subjects: sorted(s.Subjects)}
	if s.Since.IsZero() {
		fresh.Start = time.Now().UTC()
	}
	if _, err := q.State().Create(ctx, linkKeys+s.ID, fresh); err != nil && !errors.Is(err, ErrConflict) {
		return LinkState{}, err
	}
	return q.linkState(ctx, s.ID)
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

func (q *Queue) linkState(ctx context.Context, id string) (LinkState, error) {
	var state LinkState
	revision, err := q.State().Get(ctx, linkKeys+id, &state)
	if err != nil {
		return LinkState{}, err
	}
	state.revision = revision
	return state, nil
}

// changeLink changes a link's record, again when somebody else was faster.
func (q *Queue) changeLink(ctx context.Context, id string, change func(*LinkState)) (LinkState, error) {
	for {
		state, err := q.linkState(ctx, id)
		if err != nil {
			return LinkState{}, err
		}
		change(&state)
		state.revision, err = q.State().Update(ctx, linkKeys+id, state, state.revision)
		if !errors.Is(err, ErrConflict) {
			return state, err
		}
	}
}

// Links lists every link that STATE knows, by id.
func (q *Queue) Links(ctx context.Context) ([]LinkState, error) {
	entries, err := q.State().List(ctx, linkKeys)
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

// PauseLink pauses both consumers of a link, which keeps its place; what is in hand is finished.
// Gone does not overwrite Stopped. ErrNotFound: STATE does not know the link.
func (q *Queue) PauseLink(ctx context.Context, id string, why Pause) error {
	if why == Running {
		return q.ResumeLink(ctx, id)
	}
	_, err := q.changeLink(ctx, id, func(s *LinkState) {
		if s.Paused != Stopped {
			s.Paused = why
		}
	})
	if err != nil {
		return fmt.Errorf("pause link %s: %w", id, err)
	}
	return q.pauseConsumers(ctx, id, pausedUntil)
}

// ResumeLink lets both consumers of a link go on. The consumers come before the record: a crash in
// between leaves a link that STATE calls paused and the next start pauses again, never one that
// looks alive and stands still.
func (q *Queue) ResumeLink(ctx context.Context, id string) error {
	if err := q.pauseConsumers(ctx, id, time.Time{}); err != nil {
		return err
	}
	if _, err := q.changeLink(ctx, id, func(s *LinkState) { s.Paused = Running }); err != nil {
		return fmt.Errorf("resume link %s: %w", id, err)
	}
	return nil
}

// pauseConsumers sets until when both consumers of a link pause; zero: no longer. Those that do
// not exist yet are created paused, see consumerConfig.
func (q *Queue) pauseConsumers(ctx context.Context, id string, until time.Time) error {
	for _, stream := range []string{eventsStream, retriesStream} {
		c, err := q.js.Consumer(ctx, stream, consumerName(id))
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue
		}
		if err != nil {
			return describe("pause or resume link "+id, err)
		}
		end := until
		if end.IsZero() {
			end = c.CachedInfo().TimeStamp.Add(resumeIn)
		}
		if _, err := q.js.PauseConsumer(ctx, stream, consumerName(id), end); err != nil {
			return describe("pause or resume link "+id, err)
		}
	}
	return nil
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}
