package admin

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// States of a link, as people and JSON say them.
const (
	StateRunning = "running"
	StateStopped = "stopped" // a person stopped it
	StateParked  = "parked"  // Mindbox's answers stopped it; it goes on by itself
	StateShadow  = "shadow"  // it runs, but sends nothing
	StateGone    = "gone"    // it left the file
	StateNew     = "new"     // no worker has run it yet
	StateUnwell  = "unwell"  // it would run, but the queue is known to be unwell
	StateIdle    = "idle"    // of a replay: it works off nothing
)

// LinkStatus is how a link stands.
type LinkStatus struct {
	ID          string     `json:"id"`
	Title       string     `json:"title,omitempty"`
	State       string     `json:"state"`
	Why         string     `json:"why,omitempty"`          // it is parked, or the queue is unwell; or a person's reason to stop it
	By          string     `json:"by,omitempty"`           // who stopped it
	At          *time.Time `json:"at,omitempty"`           // when
	Next        *time.Time `json:"next_probe,omitempty"`   // when it is parked
	Since       *time.Time `json:"since,omitempty"`        // it is parked since then
	Start       *time.Time `json:"start,omitempty"`        // it takes what came since then
	Differs     bool       `json:"differs,omitempty"`      // the file's subjects or start are not those it runs on
	Unread      uint64     `json:"unread"`                 // in the log, not taken yet
	InHand      int        `json:"in_hand"`                // taken and not settled
	Retries     uint64     `json:"retries"`                // wait in RETRIES
	DeadLetters uint64     `json:"deadletters"`            // in DEADLETTERS
	Oldest      *time.Time `json:"oldest,omitempty"`       // when the oldest event that is not settled was stored
	Outcomes    *Counts    `json:"outcomes,omitempty"`     // of LinksWithOutcomes only
	Success     *time.Time `json:"last_success,omitempty"` // of LinksWithOutcomes only: of the newest delivery
}

// SourceStatus is what came last from a site.
type SourceStatus struct {
	Site   string                     `json:"site"`
	Name   string                     `json:"name,omitempty"`
	Events int                        `json:"events"`
	Last   map[event.Origin]time.Time `json:"last"` // receipt, by origin
}

// LinksWithOutcomes is Links with the outcomes of each link's events, and what came last from each site. What is
// not counted ahead (see KeepCounts) it reads: where nothing is, all of the log and the history, some ten seconds
// for a million events.
func (a Admin) LinksWithOutcomes(ctx context.Context) ([]LinkStatus, []SourceStatus, error) {
	if a.Board != nil {
		s, err := a.Board.Standing(ctx)
		return s.Links, s.Sites, err
	}
	list, err := a.Links(ctx)
	if err != nil {
		return nil, nil, err
	}
	sums, err := a.count(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range list {
		c := sums.links[list[i].ID]
		list[i].Outcomes = &c
		if t, ok := sums.success[list[i].ID]; ok {
			list[i].Success = &t
		}
	}
	return list, sums.sources(a), nil
}

// Links lists every link, of the file and of the queue, by id.
func (a Admin) Links(ctx context.Context) ([]LinkStatus, error) {
	links, parks, err := a.linksAndParks(ctx)
	if err != nil {
		return nil, err
	}
	var unwell string
	list := make([]LinkStatus, len(links))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(asksAtOnce)
	group.Go(func() (err error) {
		unwell, err = a.unwell(within)
		return err
	})
	for i, k := range links {
		group.Go(func() (err error) {
			list[i], err = a.status(within, k, parkOf(k, parks))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i := range list {
		if s := &list[i]; unwell != "" && s.State != StateStopped && s.State != StateGone {
			s.State, s.Why, s.Next, s.Since = StateUnwell, unwell, nil, nil
		}
	}
	return list, nil
}

// asksAtOnce is how many links the server is asked about at once.
const asksAtOnce = 8

// linksAndParks are all links, and what is parked.
func (a Admin) linksAndParks(ctx context.Context) ([]linkInfo, []queue.Park, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, nil, err
	}
	parks, err := a.Queue.Parks(ctx)
	return links, parks, err
}

func (a Admin) status(ctx context.Context, k linkInfo, park *queue.Park) (LinkStatus, error) {
	s := LinkStatus{ID: k.id, State: state(k, park)}
	if k.file != nil {
		s.Title, s.Differs = k.file.Title, k.differs()
	}
	if k.stored {
		s.Start = &k.start
	}
	if park != nil {
		s.Why, s.Next, s.Since = whyParked(park), &park.Next, &park.Since
	}
	if stop := k.state.Stop; stop != nil && s.State == StateStopped {
		s.By, s.Why, s.At = stop.By, stop.Why, &stop.At
	}
	stats, err := a.Queue.LinkStats(ctx, k.id)
	if errors.Is(err, queue.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Unread, s.InHand, s.Retries, s.DeadLetters = stats.Unread, stats.InHand, stats.Waiting, stats.DeadLetters
	if !stats.Oldest.IsZero() {
		s.Oldest = &stats.Oldest
	}
	return s, nil
}

// unwell is what the running processes find wrong with the queue, "" when they find nothing.
func (a Admin) unwell(ctx context.Context) (string, error) {
	all, err := a.Queue.Client().AskHealth(ctx, event.HealthSubject)
	for _, h := range all {
		if h.Problem != "" {
			return h.Problem, nil
		}
	}
	return "", err
}

func state(k linkInfo, park *queue.Park) string {
	switch {
	case k.file == nil:
		return StateGone
	case k.state.Paused == queue.Stopped:
		return StateStopped
	case park != nil:
		return StateParked
	case k.file.Shadow:
		return StateShadow
	case !k.stored:
		return StateNew
	}
	return StateRunning
}

// Stop pauses a link: it keeps its place, and what is in hand is finished. Who, why and when stand beside its state
// until it is started. ErrNoLink.
func (a Admin) Stop(ctx context.Context, id, why string) error {
	if _, err := a.registered(ctx, id); err != nil {
		return err
	}
	if err := a.Audit(ctx, AuditEntry{Verb: VerbLinkStop, On: LinkText(id), Why: why}); err != nil {
		return err
	}
	return a.Queue.StopLink(ctx, id, queue.Stop{By: a.Actor.Name, Why: personText(why), At: a.now().UTC()})
}

// Start lets a stopped link go on from its place; the audit keeps why. ErrNoLink.
func (a Admin) Start(ctx context.Context, id, why string) error {
	if _, err := a.registered(ctx, id); err != nil {
		return err
	}
	if err := a.Audit(ctx, AuditEntry{Verb: VerbLinkStart, On: LinkText(id), Why: why}); err != nil {
		return err
	}
	return a.Queue.ResumeLink(ctx, id)
}

// registered finds a link and registers it where no worker has run it yet: else there would be nothing to
// pause. ErrNoLink.
func (a Admin) registered(ctx context.Context, id string) (linkInfo, error) {
	k, err := a.link(ctx, id)
	if err == nil && !k.stored {
		_, err = a.Queue.Register(ctx, spec(k))
	}
	return k, err
}

func spec(k linkInfo) queue.LinkSpec {
	return queue.LinkSpec{ID: k.id, Subjects: k.file.Subjects(), Since: k.file.Since, Delay: k.file.Delay}
}

// Halts lists the links of the file over which nothing is sent now, and why.
func (a Admin) Halts(ctx context.Context) ([]Halt, error) {
	links, parks, err := a.linksAndParks(ctx)
	if err != nil {
		return nil, err
	}
	var halts []Halt
	for _, k := range links {
		switch park := parkOf(k, parks); {
		case k.file == nil:
			continue
		case k.state.Paused != queue.Running:
			halts = append(halts, Halt{Link: k.id, State: string(k.state.Paused)})
		case park != nil:
			halts = append(halts, Halt{Link: k.id, State: StateParked, Why: whyParked(park)})
		}
	}
	return halts, nil
}

// whyParked says it in a few words: the reason, and Mindbox's own.
func whyParked(p *queue.Park) string { return strings.Trim(p.Reason+": "+p.Text, ": ") }

// parkOf finds what parks a link: itself, or its destination.
func parkOf(k linkInfo, parks []queue.Park) *queue.Park {
	for _, p := range parks {
		name, isEndpoint := event.EndpointOf(p.Scope)
		if p.Scope == event.LinkScope(k.id) || isEndpoint && k.file != nil && name == k.file.To.Name {
			return &p
		}
	}
	return nil
}
