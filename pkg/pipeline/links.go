package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// What a worker does for links beside running them stands here: it pauses those that have left the file,
// and keeps each version.

// lookAfterEvery is how often it is looked after what changes without us.
const lookAfterEvery = time.Minute

// lookAfterLinks pauses the links that have left the file, lets those go on that are back, and ends
// parks whose end the watch missed or STATE did not take: every minute, and when the file has changed.
// Then this worker says first which links it has, so that of two workers whose files change together the
// one that comes last sees what both have.
func (w *Worker) lookAfterLinks(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.pauseAndResume(ctx); err != nil && ctx.Err() == nil {
			w.config.Log.Warn().Err(err).Msg("links that left the file could not be looked after")
		}
		if err := w.breakers.Reconcile(ctx); err != nil && ctx.Err() == nil {
			w.config.Log.Warn().Err(err).Msg("what is parked could not be read")
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAfterEvery):
		case <-w.changed:
			if err := w.announce(ctx); err != nil && ctx.Err() == nil {
				w.config.Log.Debug().Err(err).Msg("the links of this worker could not be written down")
			}
		}
	}
}

// pauseAndResume pauses the links that no worker's file has, and lets those of ours go on.
func (w *Worker) pauseAndResume(ctx context.Context) error {
	states, err := w.config.Queue.Links(ctx)
	if err != nil {
		return err
	}
	elsewhere, err := w.runElsewhere(ctx)
	if err != nil {
		return err
	}
	var failed error // one link that is not in order keeps no other from being looked after
	for _, s := range states {
		w.mu.Lock()
		ours := w.file.Link(s.ID) != nil
		w.mu.Unlock()
		switch {
		case ours && s.Paused == queue.Gone: // a worker with another file was here
			failed = errors.Join(failed, w.config.Queue.ResumeLink(ctx, s.ID))
		case !ours && !slices.Contains(elsewhere, s.ID):
			failed = errors.Join(failed, w.pauseGone(ctx, s))
		}
		if ctx.Err() != nil {
			return failed
		}
	}
	return failed
}

// pauseGone pauses a link that is in no file. It keeps its place, and holds the log for that.
func (w *Worker) pauseGone(ctx context.Context, s queue.LinkState) error {
	if s.Paused == queue.Running {
		if err := w.config.Queue.PauseLink(ctx, s.ID, queue.Gone); err != nil {
			return err
		}
	}
	w.warnings.left(s)
	return nil
}

// storeVersion stores the link as it is today under its hash, which HISTORY names, so that what was sent
// can be rendered again when the file has long changed. However often a file is taken up while STATE is
// away, each version is stored by one goroutine. The lock is held.
func (w *Worker) storeVersion(l *link.Link) {
	if _, known := w.versions[l.Version]; known {
		return
	}
	w.versions[l.Version] = false
	w.group.Go(func() {
		if w.putVersion(w.base, l) == nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.versions[l.Version] = true
		}
	})
}

// putVersion writes it anew each time: of the versions of a link the newest one is the one that runs.
func (w *Worker) putVersion(ctx context.Context, l *link.Link) error {
	tries := backoff.NewExponentialBackOff(backoff.WithMaxInterval(time.Minute), backoff.WithMaxElapsedTime(0))
	return backoff.Retry(func() error {
		_, err := w.config.Queue.State().Put(ctx, event.VersionKeys.Of(l.Version), json.RawMessage(l.Document()))
		return err
	}, backoff.WithContext(tries, ctx))
}

// forgetVersions forgets what was stored and has left the file: retention may remove it from STATE
// before the file has it again. The lock is held.
func (w *Worker) forgetVersions() {
	maps.DeleteFunc(w.versions, func(version string, stored bool) bool {
		return stored && !slices.ContainsFunc(w.file.Links, func(l *link.Link) bool { return l.Version == version })
	})
}
