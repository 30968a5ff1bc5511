package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Errors of Reset and Remove that the caller can mend.
var (
	// ErrNotInFile reports a reset of a link of which the file says nothing.
	ErrNotInFile = errors.New("the link is not in the file, which is to say what it should read")
	// ErrInFile reports the removal of a link that would come back at once.
	ErrInFile = errors.New("the link is still in the file: take it out first")
	// ErrInUse reports the removal of a link that a worker runs, with another file or an older one.
	ErrInUse = errors.New("a worker still runs the link: take it out of that worker's file too, or wait some seconds until it has taken up the change")
)

// Reading is what a link reads, and from when on.
type Reading struct {
	Start    time.Time `json:"start"`
	Subjects []string  `json:"subjects"`
}

// ResetPlan is what a reset changes, or has changed.
type ResetPlan struct {
	Link    string  `json:"link"`
	Changed bool    `json:"changed"` // false: the link is as the file says
	Before  Reading `json:"before"`
	After   Reading `json:"after"`
	Again   uint64  `json:"read_again"` // stored events that it reads, those included that it has settled and does not send again
}

// PlanReset says what Reset would change. ErrNoLink, ErrNotInFile.
func (a Admin) PlanReset(ctx context.Context, id string) (ResetPlan, error) {
	r, _, err := a.planReset(ctx, id)
	return r, err
}

// planReset also gives the spec that the queue is to bring the link to.
func (a Admin) planReset(ctx context.Context, id string) (ResetPlan, queue.LinkSpec, error) {
	k, err := a.link(ctx, id)
	if err != nil {
		return ResetPlan{}, queue.LinkSpec{}, err
	}
	if k.file == nil {
		return ResetPlan{}, queue.LinkSpec{}, fmt.Errorf("%s: %w", id, ErrNotInFile)
	}
	s := spec(k)
	r := ResetPlan{Link: id, Changed: k.differs() || k.state.Resetting, Before: Reading{k.start, k.subjects}}
	r.After = Reading{k.start, slices.Compact(slices.Sorted(slices.Values(s.Subjects)))}
	if !s.Since.IsZero() {
		r.After.Start = s.Since.UTC()
	}
	if r.Changed {
		r.Again, err = a.Queue.CountEvents(ctx, r.After.Subjects, r.After.Start)
	}
	return r, s, err
}

// differs reports whether the file says otherwise than what the link runs on.
func (k linkInfo) differs() bool {
	if k.file == nil || !k.stored {
		return false
	}
	s := spec(k)
	return s.OtherSubjects(k.state) || s.OtherStart(k.state)
}

// Reset brings a link's subjects and start to what the file says. Nothing that has an outcome is sent
// again. Interrupted, it can be repeated. ErrNoLink, ErrNotInFile.
func (a Admin) Reset(ctx context.Context, id string, w queue.Watching) (ResetPlan, error) {
	r, s, err := a.planReset(ctx, id)
	if err == nil && r.Changed {
		if err = a.begin(ctx, AuditEntry{Verb: VerbLinkReset, On: LinkText(id), Found: int(r.Again)}); err == nil {
			_, err = a.Queue.ResetLink(ctx, s, w)
		}
	}
	return r, err
}

// PlanRemoval says how much a removed link would leave, the events among the unread included that it
// would pass over. ErrNoLink, ErrInFile, ErrInUse.
func (a Admin) PlanRemoval(ctx context.Context, id string) (queue.LinkStats, error) {
	k, err := a.link(ctx, id)
	if err != nil {
		return queue.LinkStats{}, err
	}
	if k.file != nil {
		return queue.LinkStats{}, fmt.Errorf("%s: %w", id, ErrInFile)
	}
	used, err := a.inUse(ctx, id)
	if err != nil {
		return queue.LinkStats{}, err
	}
	if used {
		return queue.LinkStats{}, fmt.Errorf("%s: %w", id, ErrInUse)
	}
	return a.unreadOf(ctx, k)
}

// Remove forgets a link that has left the file: what waits becomes dead letters, what is unread is
// recorded as abandoned. Interrupted, it can be repeated. ErrNoLink, ErrInFile, ErrInUse.
func (a Admin) Remove(ctx context.Context, id string, w queue.Watching) (queue.Removal, error) {
	plan, err := a.PlanRemoval(ctx, id)
	if err != nil {
		return queue.Removal{}, err
	}
	if err := a.begin(ctx, AuditEntry{Verb: VerbLinkRemove, On: LinkText(id), Found: int(plan.Unread + plan.Waiting)}); err != nil {
		return queue.Removal{}, err
	}
	return a.Queue.RemoveLink(ctx, id, w)
}

// inUse reports whether a worker says that it runs the link.
func (a Admin) inUse(ctx context.Context, id string) (bool, error) {
	entries, err := a.Queue.State().List(ctx, string(event.WorkerKeys))
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		var worker struct {
			Links []string `json:"links"`
		}
		if json.Unmarshal(e.Value, &worker) == nil && slices.Contains(worker.Links, id) {
			return true, nil
		}
	}
	return false, nil
}

// Changes says what the file does to the links that the queue knows: what would start, what would
// be paused, what waits for a reset, what filters or renders anew.
func (a Admin) Changes(ctx context.Context) ([]link.Change, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, err
	}
	running, err := a.running(ctx, links)
	if err != nil {
		return nil, err
	}
	var changes []link.Change
	for _, k := range links {
		more, err := a.changesOf(ctx, k)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
		if k.file == nil || k.stored {
			continue
		}
		if was := link.Renamed(running, a.File, k.file); was != "" {
			changes = append(changes, link.Change{Link: k.id, Kind: link.LinkRenamed, Before: was})
		}
	}
	return changes, nil
}

// running is what the workers run, where a link of the file is new and may be one of theirs renamed.
func (a Admin) running(ctx context.Context, links []linkInfo) (*link.File, error) {
	if !slices.ContainsFunc(links, func(k linkInfo) bool { return !k.stored }) {
		return &link.File{}, nil
	}
	running, err := Running(ctx, a.Queue)
	if errors.Is(err, ErrNothingRuns) {
		return &link.File{}, nil
	}
	return running, err
}

// returns says how much a link that is back in the file has to send.
func (a Admin) returns(ctx context.Context, k linkInfo) (link.Change, error) {
	stats, err := a.unreadOf(ctx, k)
	return link.Change{Link: k.id, Kind: link.LinkReturns, After: fmt.Sprint(stats.Unread + stats.Waiting)}, err
}

// unreadOf is LinkStats, of a link too that no worker has run or whose consumers are gone.
func (a Admin) unreadOf(ctx context.Context, k linkInfo) (queue.LinkStats, error) {
	stats, err := a.Queue.LinkStats(ctx, k.id)
	if errors.Is(err, queue.ErrNotFound) {
		stats.Unread, err = a.Queue.CountEvents(ctx, k.subjects, k.start)
	}
	return stats, err
}

func (a Admin) changesOf(ctx context.Context, k linkInfo) ([]link.Change, error) {
	switch {
	case k.file == nil && k.state.Paused == queue.Gone:
		return nil, nil // it is gone already
	case k.file == nil:
		return []link.Change{{Link: k.id, Kind: link.LinkGone}}, nil
	case !k.stored:
		return []link.Change{{Link: k.id, Kind: link.LinkNew, After: sinceText(k.file.Since)}}, nil
	}
	var changes []link.Change
	if k.state.Paused == queue.Gone {
		back, err := a.returns(ctx, k)
		if err != nil {
			return nil, err
		}
		changes = append(changes, back)
	}
	s := spec(k)
	if s.OtherSubjects(k.state) {
		changes = append(changes, link.Change{Link: k.id, Kind: link.LinkSubjects})
	}
	if s.OtherStart(k.state) {
		changes = append(changes, link.Change{Link: k.id, Kind: link.LinkSince})
	}
	var document any
	_, err := a.Queue.State().Get(ctx, event.VersionKeys.Of(k.file.Version), &document)
	if errors.Is(err, queue.ErrNotFound) { // no worker has ever run this version of the link
		return append(changes, link.Change{Link: k.id, Kind: link.LinkVersion}), nil
	}
	return changes, err
}

func sinceText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
