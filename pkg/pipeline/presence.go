package pipeline

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/queue"
)

// A worker writes itself to STATE, so that all of them know how many share an endpoint's rate and
// which links somebody runs.
const (
	presenceKeys  = "worker."
	presenceEvery = 10 * time.Second
	presenceTTL   = 30 * time.Second
	leaveTimeout  = 2 * time.Second // the process has 25 s to end, most of them for what is in hand
)

// presence is what a worker says of itself.
type presence struct {
	Links    []string `json:"links"`              // that its file has
	Versions []string `json:"versions,omitempty"` // of those links
}

// meet writes this worker down and counts all that are there.
func (w *Worker) meet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	if _, err := w.config.Queue.State().PutTTL(ctx, presenceKeys+w.id, w.presence(), presenceTTL); err != nil {
		return err
	}
	entries, err := w.config.Queue.State().List(ctx, presenceKeys)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = max(1, len(entries))
	w.shareRates()
	return nil
}

// presence is what this worker says of itself.
func (w *Worker) presence() presence {
	w.mu.Lock()
	file := w.file
	w.mu.Unlock()
	if file == nil {
		file = w.config.File
	}
	me := presence{}
	for _, l := range file.Links {
		me.Links = append(me.Links, l.ID)
		me.Versions = append(me.Versions, l.Version)
	}
	return me
}

// shareRates gives each destination this worker's part of its rate; the lock is held.
func (w *Worker) shareRates() {
	for _, d := range w.destinations {
		d.pace.share(d.file.Rate / float64(w.live))
	}
}

// stayPresent repeats meet. Where STATE does not answer, the last number holds.
func (w *Worker) stayPresent(ctx context.Context) {
	for sleep(ctx, presenceEvery) {
		if err := w.meet(ctx); err != nil && ctx.Err() == nil {
			w.config.Log.Debug().Err(err).Msg("the number of workers could not be read")
		}
	}
}

// leave takes this worker out of STATE, so that the others need not wait for its time to run out.
func (w *Worker) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	_ = w.config.Queue.State().Delete(ctx, presenceKeys+w.id)
}

// runElsewhere are the links that other workers run.
func (w *Worker) runElsewhere(ctx context.Context) ([]string, error) {
	others, err := w.others(ctx)
	var links []string
	for _, p := range others {
		links = append(links, p.Links...)
	}
	return links, err
}

// Versions are those of the links that this worker or another one runs now.
func (w *Worker) Versions(ctx context.Context) ([]string, error) {
	others, err := w.others(ctx)
	versions := w.presence().Versions
	for _, p := range others {
		versions = append(versions, p.Versions...)
	}
	return versions, err
}

// others are what other workers say of themselves.
func (w *Worker) others(ctx context.Context) ([]presence, error) {
	entries, err := w.config.Queue.State().List(ctx, presenceKeys)
	if err != nil {
		return nil, err
	}
	var others []presence
	for _, e := range entries {
		var p presence
		if e.Key != presenceKeys+w.id && json.Unmarshal(e.Value, &p) == nil {
			others = append(others, p)
		}
	}
	return others, nil
}

// Intervals of looking after what changes without us.
const (
	lookEvery = time.Minute
	warnEvery = 24 * time.Hour
)

// lookAfterLinks pauses the links that have left the file, lets those go on that are back, and
// ends parks whose end the watch missed: every minute, and when the file has changed. Then this
// worker says first which links it has, so that of two workers whose files change together the one
// that looks last sees what both have.
func (w *Worker) lookAfterLinks(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.lookAtLinks(ctx); err != nil && ctx.Err() == nil {
			w.config.Log.Warn().Err(err).Msg("links that left the file could not be looked after")
		}
		if err := w.lookAtParks(ctx); err != nil && ctx.Err() == nil {
			w.config.Log.Warn().Err(err).Msg("what is parked could not be read")
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		case <-w.changed:
			if err := w.meet(ctx); err != nil && ctx.Err() == nil {
				w.config.Log.Debug().Err(err).Msg("the links of this worker could not be written down")
			}
		}
	}
}

func (w *Worker) lookAtLinks(ctx context.Context) error {
	states, err := w.config.Queue.Links(ctx)
	if err != nil {
		return err
	}
	elsewhere, err := w.runElsewhere(ctx)
	if err != nil {
		return err
	}
	for _, s := range states {
		w.mu.Lock()
		ours := w.file.Link(s.ID) != nil
		w.mu.Unlock()
		switch {
		case ours && s.Paused == queue.Gone: // a worker with another file was here
			err = w.config.Queue.ResumeLink(ctx, s.ID)
		case !ours && !slices.Contains(elsewhere, s.ID):
			err = w.pauseGone(ctx, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pauseGone pauses a link that is in no file. It keeps its place, and holds the log for that.
func (w *Worker) pauseGone(ctx context.Context, s queue.LinkState) error {
	if s.Paused == queue.Running {
		if err := w.config.Queue.PauseLink(ctx, s.ID, queue.Gone); err != nil {
			return err
		}
	}
	w.mu.Lock()
	warn := time.Since(w.warned[s.ID]) >= warnEvery
	if warn {
		w.warned[s.ID] = time.Now()
	}
	w.mu.Unlock()
	if warn {
		w.config.Log.Warn().Str("link", s.ID).Time("start", s.Start).
			Msg("this link is not in the file any more: it is paused and keeps its place in the log, which cannot be purged beyond it; put it back, or remove it with `touchbox links remove`")
	}
	return nil
}

func (w *Worker) lookAtParks(ctx context.Context) error {
	w.mu.Lock()
	gates := make([]*gate, 0, len(w.gates))
	for _, g := range w.gates {
		gates = append(gates, g)
	}
	w.mu.Unlock()
	parked := map[string]uint64{}
	for _, g := range gates { // read before STATE, so that a park of this moment is not taken for an old one
		if park, closed, _ := g.look(); closed && park.Revision != 0 {
			parked[g.scope] = park.Revision
		}
	}
	if len(parked) == 0 {
		return nil
	}
	parks, err := w.config.Queue.Parks(ctx)
	if err != nil {
		return err
	}
	for _, p := range parks {
		delete(parked, p.Scope)
	}
	for _, g := range gates {
		if revision, gone := parked[g.scope]; gone {
			g.ended(revision)
		}
	}
	return nil
}

// sleep waits, and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
