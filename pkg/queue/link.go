package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// LinkSpec is what the queue must know of a link.
type LinkSpec struct {
	ID       string        // [a-z0-9][a-z0-9-]{0,31}
	Subjects []string      // of the events that it reads, see event.SubjectOf
	Since    time.Time     // its start; zero: the moment of the first Register or OpenLink
	Delay    time.Duration // an event is handled no sooner than this after EVENTS stored it
	Handlers int           // how many events are handled at once; 0 means 256
	AckWait  time.Duration // how long the server waits for a word of who has an event in flight; 0 means 10 s
}

const (
	// defaultHandlers bounds how many answers a link waits for. How many it does follows from the far end (Little's
	// law): two where it answers at once, 130 at 1,000 events a second and 130 ms an answer.
	defaultHandlers = 256
	// defaultAckWait counts when a worker has died or a delivery was lost on the way: however long
	// handling takes, the server is told of what is in flight every third of it.
	defaultAckWait = 10 * time.Second
)

// leastAckPending is the least number of unacknowledged messages that a consumer allows: after a
// crash the server gives out again some hundred that were acknowledged, and they must not stop it.
const leastAckPending = 1024

// clockMargin is how much earlier than a link's start its consumer begins to read, since the start
// is by our clock and the log by the server's.
const clockMargin = time.Hour

// Link is a link with its consumers.
type Link struct {
	State LinkState
	// Differs is not empty when the file says otherwise than STATE, in words for the operator. The
	// link runs as STATE says.
	Differs string

	q         *Queue
	spec      LinkSpec
	load      backlog                       // what waits in RETRIES
	now       atomic.Pointer[LinkState]     // State as it is by now
	consumers map[string]jetstream.Consumer // by stream
}

// OpenLink registers the link and creates its two consumers, on EVENTS and on RETRIES. What stands
// in STATE is kept; a link that was Gone goes on.
func (q *Queue) OpenLink(ctx context.Context, s LinkSpec) (*Link, error) {
	if s.Handlers == 0 {
		s.Handlers = defaultHandlers
	}
	state, err := q.Register(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("open link %s: %w", s.ID, err)
	}
	if state.Paused == Gone {
		if err := q.ResumeLink(ctx, s.ID); err != nil {
			return nil, err
		}
	}
	l := &Link{Differs: differs(s, state), q: q, spec: s, consumers: map[string]jetstream.Consumer{}}
	if err := l.ensure(ctx); err != nil {
		return nil, fmt.Errorf("open link %s: %w", s.ID, err)
	}
	l.State = *l.now.Load()
	for _, stream := range []string{event.EventsStream, event.RetriesStream} {
		if l.consumers[stream], err = q.js.Consumer(ctx, stream, ConsumerName(s.ID)); err != nil {
			return nil, fmt.Errorf("open link %s: %w", s.ID, jet.Describe("its consumer on "+stream, err))
		}
	}
	return l, nil
}

// OtherSubjects reports whether the spec names other subjects than those that the link runs on.
func (s LinkSpec) OtherSubjects(now LinkState) bool {
	return !slices.Equal(sorted(s.Subjects), now.Subjects)
}

// OtherStart reports whether the spec names another start than the link's. Without one any start is right.
func (s LinkSpec) OtherStart(now LinkState) bool {
	return !s.Since.IsZero() && !s.Since.Equal(now.Start)
}

// differs says what the file and STATE do not agree on.
func differs(s LinkSpec, state LinkState) string {
	reads, ran := event.SubjectsText(sorted(s.Subjects)), event.SubjectsText(state.Subjects)
	since, started := s.Since.UTC().Format(time.RFC3339), state.Start.UTC().Format(time.RFC3339)
	var what error
	switch subjects, start := s.OtherSubjects(state), s.OtherStart(state); {
	case subjects && start:
		what = fmt.Errorf("the file reads %s, the link runs on %s; the file starts it at %s, the link started at %s", reads, ran, since, started)
	case subjects:
		what = fmt.Errorf("the file reads %s, the link runs on %s", reads, ran)
	case start:
		what = fmt.Errorf("the file starts it at %s, the link started at %s", since, started)
	default:
		return ""
	}
	return fmt.Errorf("link %s was changed in a way that a running link does not follow by itself (%w): it goes on as it was; "+
		"`touchbox links reset %s` brings it to what the file says", s.ID, what, s.ID).Error()
}

// ConsumerName is the durable name of a link's consumers on both streams.
func ConsumerName(link string) string { return "link-" + link }

// ensure creates the link's consumers where they are missing and brings them to the spec.
func (l *Link) ensure(ctx context.Context) error {
	state, err := l.q.registry.get(ctx, l.spec.ID)
	if err == nil && state.Resetting {
		state, err = linkChange{q: l.q, id: l.spec.ID}.finishReset(ctx)
	}
	if err != nil {
		return err
	}
	for _, stream := range []string{event.EventsStream, event.RetriesStream} {
		if state, err = l.ensureConsumer(ctx, stream, state); err != nil {
			return err
		}
	}
	if state.Paused, err = l.q.registry.settlePause(ctx, l.spec.ID, state.Paused); err != nil {
		return err
	}
	l.now.Store(&state)
	return nil
}

func (l *Link) ensureConsumer(ctx context.Context, stream string, state LinkState) (LinkState, error) {
	want := l.consumerConfig(stream, state)
	c, err := l.q.js.Consumer(ctx, stream, want.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return l.createConsumer(ctx, stream, state)
	}
	if err != nil {
		return state, jet.Describe("look for its consumer on "+stream, err)
	}
	have := c.CachedInfo().Config
	if filters := filtersOf(have); !slices.Equal(filters, want.FilterSubjects) {
		return state, fmt.Errorf("its consumer on %s reads %s and not what STATE says, %s: somebody changed it; "+
			"delete that consumer to have it made anew", stream, strings.Join(filters, " "), strings.Join(want.FilterSubjects, " "))
	}
	if state.Paused != Running && !c.CachedInfo().Paused {
		if _, err := l.q.js.PauseConsumer(ctx, stream, want.Durable, pausedUntil); err != nil {
			return state, jet.Describe("pause its consumer on "+stream, err)
		}
	}
	if have.AckWait == want.AckWait && have.MaxAckPending == want.MaxAckPending {
		return state, nil
	}
	have.AckWait, have.MaxAckPending, have.PauseUntil = want.AckWait, want.MaxAckPending, nil
	_, err = l.q.js.UpdateConsumer(ctx, stream, have)
	return state, jet.Describe("update its consumer on "+stream, err)
}

// createConsumer makes a consumer. On EVENTS it begins at the link's start, also when the link had
// one that somebody deleted: how far that one came only HISTORY knows, so up to here every event
// is looked up.
func (l *Link) createConsumer(ctx context.Context, stream string, state LinkState) (LinkState, error) {
	if stream == event.EventsStream {
		last, err := l.q.jet.LastSequence(ctx, stream)
		if err != nil {
			return state, err
		}
		state, err = l.q.registry.change(ctx, l.spec.ID, func(s *LinkState) {
			if s.Opened {
				s.CheckTo = last
			}
			s.Opened = true
		})
		if err != nil {
			return state, err
		}
	}
	err := l.q.jet.CreateConsumer(ctx, stream, l.consumerConfig(stream, state))
	if errors.Is(err, jetstream.ErrConsumerExists) { // another worker was faster
		err = nil
	}
	return state, jet.Describe("create its consumer on "+stream, err)
}

// consumerConfig is how a link's consumer is to be. MaxDeliver and BackOff are not set: the worker
// makes the last call, and BackOff would replace AckWait.
func (l *Link) consumerConfig(stream string, state LinkState) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{
		Durable:        ConsumerName(l.spec.ID),
		Description:    "Touchbox: link " + l.spec.ID,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        ackWait(l.spec),
		MaxAckPending:  max(leastAckPending, 2*l.spec.inFlight()),
		FilterSubjects: []string{event.DueSubjects.OfLink(l.spec.ID, ">")},
	}
	if stream == event.EventsStream {
		setReading(&c, state)
	} else {
		setPause(&c, state)
	}
	return c
}

// setReading sets what a link's consumer on EVENTS reads.
func setReading(c *jetstream.ConsumerConfig, state LinkState) {
	from := state.Start.Add(-clockMargin)
	c.FilterSubject, c.FilterSubjects = "", state.Subjects
	c.DeliverPolicy, c.OptStartSeq, c.OptStartTime = jetstream.DeliverByStartTimePolicy, 0, &from
	setPause(c, state)
}

func setPause(c *jetstream.ConsumerConfig, state LinkState) {
	if c.PauseUntil = nil; state.Paused != Running {
		c.PauseUntil = &pausedUntil
	}
}

func ackWait(s LinkSpec) time.Duration {
	if s.AckWait == 0 {
		return defaultAckWait
	}
	return s.AckWait
}

func filtersOf(c jetstream.ConsumerConfig) []string {
	if c.FilterSubject != "" {
		return []string{c.FilterSubject}
	}
	return sorted(c.FilterSubjects)
}
