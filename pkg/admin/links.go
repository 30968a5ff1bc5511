package admin

import (
	"context"
	"errors"
	"time"

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
)

// LinkStatus is how a link stands.
type LinkStatus struct {
	ID       string     `json:"id"`
	Title    string     `json:"title,omitempty"`
	State    string     `json:"state"`
	Why      string     `json:"why,omitempty"`          // it is parked
	Next     *time.Time `json:"next_probe,omitempty"`   // when it is parked
	Start    *time.Time `json:"start,omitempty"`        // it takes what came since then
	Differs  bool       `json:"differs,omitempty"`      // the file's subjects or start are not those it runs on
	Unread   uint64     `json:"unread"`                 // in the log, not taken yet
	InHand   int        `json:"in_hand"`                // taken and not settled
	Retries  uint64     `json:"retries"`                // wait in RETRIES
	Letters  uint64     `json:"deadletters"`            // in DEADLETTERS
	Oldest   *time.Time `json:"oldest,omitempty"`       // when the oldest event that is not settled was stored
	Outcomes *Counts    `json:"outcomes,omitempty"`     // with a scan only
	Success  *time.Time `json:"last_success,omitempty"` // with a scan only: of the newest delivery
}

// SourceStatus is what came last from a site.
type SourceStatus struct {
	Site   string                     `json:"site"`
	Name   string                     `json:"name,omitempty"`
	Events int                        `json:"events"`
	Last   map[event.Origin]time.Time `json:"last"` // receipt, by origin
}

// Links lists every link, of the file and of the queue, by id. With scan it also counts outcomes,
// which reads all of the history and the log: some ten seconds for a million events.
func (a Admin) Links(ctx context.Context, scan bool) ([]LinkStatus, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, err
	}
	parks, err := a.Queue.Parks(ctx)
	if err != nil {
		return nil, err
	}
	var list []LinkStatus
	for _, k := range links {
		s, err := a.status(ctx, k, parkOf(k, parks))
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if scan {
		err = a.addOutcomes(ctx, list)
	}
	return list, err
}

func (a Admin) status(ctx context.Context, k known, park *parked) (LinkStatus, error) {
	s := LinkStatus{ID: k.id, State: state(k, park)}
	if k.file != nil {
		s.Title, s.Differs = k.file.Title, k.differs()
	}
	if k.stored {
		s.Start = &k.start
	}
	if park != nil {
		s.Why, s.Next = park.why(), &park.Next
	}
	stats, err := a.Queue.LinkStats(ctx, k.id)
	if errors.Is(err, queue.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Unread, s.InHand, s.Retries, s.Letters = stats.Unread, stats.InHand, stats.Waiting, stats.DeadLetters
	if !stats.Oldest.IsZero() {
		s.Oldest = &stats.Oldest
	}
	return s, nil
}

func state(k known, park *parked) string {
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

// addOutcomes fills in what only the whole history says.
func (a Admin) addOutcomes(ctx context.Context, list []LinkStatus) error {
	counts, err := a.tally(ctx)
	if err != nil {
		return err
	}
	last := map[string]time.Time{}
	for r, err := range a.Queue.Records(ctx) {
		if err != nil {
			return err
		}
		if r.Outcome == event.Delivered && r.Time.After(last[r.Link]) {
			last[r.Link] = r.Time
		}
	}
	for i := range list {
		c := counts[list[i].ID]
		list[i].Outcomes = &c
		if t, ok := last[list[i].ID]; ok {
			list[i].Success = &t
		}
	}
	return nil
}

// Sources says of each site what came last, by origin, with one scan of the log.
func (a Admin) Sources(ctx context.Context) ([]SourceStatus, error) {
	of := map[string]*SourceStatus{}
	var list []*SourceStatus
	for _, s := range a.File.Sites {
		of[s.ID] = &SourceStatus{Site: s.ID, Name: s.Name, Last: map[event.Origin]time.Time{}}
		list = append(list, of[s.ID])
	}
	for e, err := range a.log(ctx, queue.ScanOptions{}) {
		if err != nil {
			return nil, err
		}
		s := of[e.Key.Site]
		if s == nil {
			s = &SourceStatus{Site: e.Key.Site, Last: map[event.Origin]time.Time{}}
			of[e.Key.Site] = s
			list = append(list, s)
		}
		s.Events++
		if e.Received.After(s.Last[e.Origin]) {
			s.Last[e.Origin] = e.Received
		}
	}
	out := make([]SourceStatus, len(list))
	for i, s := range list {
		out[i] = *s
	}
	return out, nil
}

// Stop pauses a link: it keeps its place, and what is in hand is finished. ErrNoLink.
func (a Admin) Stop(ctx context.Context, id string) error {
	if _, err := a.stored(ctx, id); err != nil {
		return err
	}
	return a.Queue.PauseLink(ctx, id, queue.Stopped)
}

// Start lets a stopped link go on from its place. ErrNoLink.
func (a Admin) Start(ctx context.Context, id string) error {
	if _, err := a.stored(ctx, id); err != nil {
		return err
	}
	return a.Queue.ResumeLink(ctx, id)
}

// stored finds a link that the queue knows: before a worker first ran it there is nothing to
// pause. ErrNoLink.
func (a Admin) stored(ctx context.Context, id string) (known, error) {
	k, err := a.link(ctx, id)
	if err == nil && !k.stored {
		_, err = a.Queue.Register(ctx, spec(k))
	}
	return k, err
}

func spec(k known) queue.LinkSpec {
	return queue.LinkSpec{ID: k.id, Subjects: k.file.Subjects(), Since: k.file.Since, Delay: k.file.Delay}
}
