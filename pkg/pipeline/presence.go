package pipeline

import (
	"context"
	"encoding/json"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/wait"
)

// A worker writes itself to STATE, so that all of them know how many share an endpoint's rate and
// which links somebody runs.
const (
	presenceEvery = 10 * time.Second
	presenceTTL   = 30 * time.Second
	leaveTimeout  = 2 * time.Second // the process has 25 s to end, most of them for what is in hand
	stateTimeout  = 5 * time.Second // of one exchange with STATE
)

// presence is what a worker says of itself.
type presence struct {
	Links    []string `json:"links"`              // that its file has
	Versions []string `json:"versions,omitempty"` // of those links
}

// announce is the heartbeat: it writes this worker down for presenceTTL and counts all that are there.
func (w *Worker) announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	if _, err := w.config.Queue.State().PutTTL(ctx, event.WorkerKeys.Of(w.id), w.presence(), presenceTTL); err != nil {
		return err
	}
	entries, err := w.config.Queue.State().List(ctx, string(event.WorkerKeys))
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.present = max(1, len(entries))
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
		d.pace.share(d.file.Rate / float64(w.present))
	}
}

// stayPresent repeats the heartbeat. Where STATE does not answer, the last number holds.
func (w *Worker) stayPresent(ctx context.Context) {
	for wait.Sleep(ctx, presenceEvery) == nil {
		if err := w.announce(ctx); err != nil && ctx.Err() == nil {
			w.config.Log.Debug().Err(err).Msg("the number of workers could not be read")
		}
	}
}

// leave takes this worker out of STATE, so that the others need not wait for its time to run out.
func (w *Worker) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	_ = w.config.Queue.State().Expire(ctx, event.WorkerKeys.Of(w.id))
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
	entries, err := w.config.Queue.State().List(ctx, string(event.WorkerKeys))
	if err != nil {
		return nil, err
	}
	var others []presence
	for _, e := range entries {
		var p presence
		if e.Key != event.WorkerKeys.Of(w.id) && json.Unmarshal(e.Value, &p) == nil {
			others = append(others, p)
		}
	}
	return others, nil
}
