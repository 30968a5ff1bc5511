package app

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/wait"
)

const (
	// quietBefore is how long a file must not change before it is read: editors write in steps.
	quietBefore = 300 * time.Millisecond
	// lookEvery finds changes that no notice tells of, as on some network and container mounts.
	lookEvery = 4 * time.Second
	// settleRounds bounds how often a file may change before it is read as it is: one that never
	// rests would never be taken up, and nobody would be told.
	settleRounds = 50
)

// watchConfig takes up a changed configuration file until ctx ends: written in place, replaced by
// rename, or at SIGHUP (then also the files of secrets). A broken one is refused, and the one
// before stays in force.
func (n *Node) watchConfig(ctx context.Context, m *Metrics, reloaders []reloader) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	notices := watchFolder(ctx, filepath.Dir(n.Settings.Config))
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	seen, again := n.seen, false
	n.configRight(ctx, m) // else this process would not have started
	for {
		forced, before := again, again
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			forced = true
		case <-notices:
		case <-look.C:
		}
		if !forced && stamp(n.Settings.Config) == seen {
			continue
		}
		if seen = n.settle(ctx); ctx.Err() == nil {
			again = n.reload(ctx, m, reloaders, before)
		}
	}
}

// settle waits until the file has not changed for a moment and returns its stamp.
func (n *Node) settle(ctx context.Context) string {
	before := stamp(n.Settings.Config)
	for range settleRounds {
		if wait.Sleep(ctx, quietBefore) != nil {
			return before
		}
		after := stamp(n.Settings.Config)
		if after == before {
			break
		}
		before = after
	}
	return before
}

// reload takes up the file. It reports whether to try again although the file stays as it is: the
// file is right, and the queue did not answer. That is said once, not at every try.
func (n *Node) reload(ctx context.Context, m *Metrics, reloaders []reloader, said bool) (again bool) {
	file, problems, err := n.Settings.LoadConfig(lang.English, n.without())
	if err != nil {
		n.configBroken(ctx, m)
		n.Log.Error().Err(err).Msg("the changed configuration is refused, the one before stays in force")
		return false
	}
	if err := n.take(ctx, file, reloaders); err != nil {
		m.configBad.Set(1) // the alert of the queue tells of it
		if !said {
			n.Log.Error().Err(err).Msg("the changed configuration cannot be taken up yet, the one before stays in force")
		}
		return true
	}
	n.configRight(ctx, m)
	m.follow(n)
	n.warn(problems)
	if file.Keep != n.File.Keep {
		n.Log.Warn().Msg("`keep` has changed: bounds of the streams are set at the next start")
	}
	n.Log.Info().Int("links", len(file.Links)).Msg("the changed configuration is in force")
	return false
}

// configBroken says that the file on disk is refused. The alert is the worker's: ingest may not
// write where alerts stand.
func (n *Node) configBroken(ctx context.Context, m *Metrics) {
	m.configBad.Set(1)
	n.broken.Store(true)
	if n.Worker {
		n.alerts.FileRefused(ctx, n.Settings.Config)
	}
}

// configRight says that the file on disk is in force.
func (n *Node) configRight(ctx context.Context, m *Metrics) {
	m.configBad.Set(0)
	n.broken.Store(false)
	if n.Worker {
		n.alerts.FileTaken(ctx, n.Settings.Config)
	}
}

// take gives the file to every part. When one refuses, those before it get the old one back.
func (n *Node) take(ctx context.Context, file *link.File, reloaders []reloader) error {
	before := n.current.Load()
	for i, reload := range reloaders {
		err := reload(ctx, file)
		if err == nil {
			continue
		}
		for _, undo := range reloaders[:i] {
			err = errors.Join(err, undo(ctx, before))
		}
		return err
	}
	n.current.Store(file)
	return nil
}

// stamp changes when the file does.
func stamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	return info.ModTime().String() + " " + info.Mode().String() + " " + time.Duration(info.Size()).String()
}

// watchFolder tells of changes in a folder: the file itself may be replaced, or be a link into a
// folder that is. Without notices, the ticker has to do.
func watchFolder(ctx context.Context, dir string) <-chan fsnotify.Event {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil
	}
	context.AfterFunc(ctx, func() { _ = watcher.Close() })
	if err := watcher.Add(dir); err != nil {
		return nil
	}
	notices := make(chan fsnotify.Event, 1)
	go func() {
		for {
			select {
			case e, open := <-watcher.Events:
				if !open {
					return
				}
				select {
				case notices <- e:
				default: // one notice is enough
				}
			case _, open := <-watcher.Errors:
				if !open {
					return
				}
			}
		}
	}()
	return notices
}
