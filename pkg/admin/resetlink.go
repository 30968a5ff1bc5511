package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

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

// Resetting is what a reset changes, or has changed.
type Resetting struct {
	Link    string  `json:"link"`
	Changed bool    `json:"changed"` // false: the link is as the file says
	Before  Reading `json:"before"`
	After   Reading `json:"after"`
	Again   uint64  `json:"read_again"` // stored events that it reads, those included that it has settled and does not send again
}

// PlanReset says what Reset would change. ErrNoLink, ErrNotInFile.
func (a Admin) PlanReset(ctx context.Context, id string) (Resetting, error) {
	r, _, err := a.planReset(ctx, id)
	return r, err
}

func (a Admin) planReset(ctx context.Context, id string) (Resetting, queue.LinkSpec, error) {
	k, err := a.link(ctx, id)
	if err != nil {
		return Resetting{}, queue.LinkSpec{}, err
	}
	if k.file == nil {
		return Resetting{}, queue.LinkSpec{}, fmt.Errorf("%s: %w", id, ErrNotInFile)
	}
	s := spec(k)
	r := Resetting{Link: id, Changed: k.differs() || k.state.Resetting, Before: Reading{k.start, k.subjects}, After: Reading{k.start, sorted(s.Subjects)}}
	if !s.Since.IsZero() {
		r.After.Start = s.Since.UTC()
	}
	if r.Changed {
		r.Again, err = a.Queue.CountEvents(ctx, r.After.Subjects, r.After.Start)
	}
	return r, s, err
}

// differs reports whether the file says otherwise than what the link runs on.
func (k known) differs() bool {
	if k.file == nil || !k.stored {
		return false
	}
	return !same(k.file.Subjects(), k.subjects) || !k.file.Since.IsZero() && !k.file.Since.Equal(k.start)
}

func sorted(s []string) []string { return slices.Compact(slices.Sorted(slices.Values(s))) }

// Reset brings a link's subjects and start to what the file says. Nothing that has an outcome is sent
// again. Interrupted, it can be repeated. ErrNoLink, ErrNotInFile.
func (a Admin) Reset(ctx context.Context, id string) (Resetting, error) {
	r, s, err := a.planReset(ctx, id)
	if err == nil && r.Changed {
		_, err = a.Queue.ResetLink(ctx, s)
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
	stats, err := a.Queue.LinkStats(ctx, id)
	if errors.Is(err, queue.ErrNotFound) { // no worker has run it, or its consumers are gone
		stats.Unread, err = a.Queue.CountEvents(ctx, k.subjects, k.start)
	}
	return stats, err
}

// Remove forgets a link that has left the file: what waits becomes dead letters, what is unread is
// recorded as abandoned. progress, where not nil, is told how many events are through. Interrupted,
// it can be repeated. ErrNoLink, ErrInFile, ErrInUse.
func (a Admin) Remove(ctx context.Context, id string, progress func(done int)) (queue.Removal, error) {
	if _, err := a.PlanRemoval(ctx, id); err != nil {
		return queue.Removal{}, err
	}
	return a.Queue.RemoveLink(ctx, id, progress)
}

// workerKeys begin the keys of STATE under which each worker names the links that it runs.
const workerKeys = "worker."

// inUse reports whether a worker says that it runs the link.
func (a Admin) inUse(ctx context.Context, id string) (bool, error) {
	entries, err := a.Queue.State().List(ctx, workerKeys)
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
