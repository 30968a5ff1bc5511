package jet

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/wait"
)

// Watch brings every value under a prefix, which ends with ".", then each change, until ctx ends
// and the channel closes. After an outage all values come again, and what vanished meanwhile comes
// as Deleted.
func (b *Bucket) Watch(ctx context.Context, prefix string) <-chan Entry {
	w := &watcher{b: b, prefix: prefix, out: make(chan Entry), there: map[string]bool{}}
	go w.run(ctx)
	return w.out
}

type watcher struct {
	b      *Bucket
	prefix string
	out    chan Entry
	there  map[string]bool // keys that the reader believes to be there
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.out)
	retry := NewBackoff()
	for ctx.Err() == nil {
		err := w.watch(ctx, retry.Reset)
		if err != nil && ctx.Err() == nil && w.b.c.told.Due("watch "+w.prefix, logEvery) {
			w.b.c.log.Warn().Str("prefix", w.prefix).Err(err).Msg("watching STATE was interrupted, trying on")
		}
		_ = wait.Sleep(ctx, retry.NextBackOff())
	}
}

// watch watches until something breaks, or the connection does: the library's own watch needs up
// to half a minute to notice that the server was restarted.
func (w *watcher) watch(ctx context.Context, works func()) error {
	_, ended := w.b.c.epoch.now()
	kv, err := w.b.keyValue(ctx)
	if err != nil {
		return err
	}
	updates, err := kv.Watch(ctx, w.prefix+">")
	if err != nil {
		return err
	}
	defer func() { _ = updates.Stop() }()
	works()
	round := map[string]bool{}
	for {
		select {
		case e, open := <-updates.Updates():
			switch {
			case !open:
				return nil
			case e != nil:
				w.send(ctx, entryOf(e), round)
			default: // that was all there is; from here on come the changes
				w.vanished(ctx, round)
				round = nil
			}
		case <-ended.Done():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// send passes an entry on. A trace of something that the reader never knew says nothing.
func (w *watcher) send(ctx context.Context, e Entry, round map[string]bool) {
	if e.Deleted && !w.there[e.Key] {
		return
	}
	if round != nil && !e.Deleted {
		round[e.Key] = true
	}
	w.there[e.Key] = !e.Deleted
	select {
	case w.out <- e:
	case <-ctx.Done():
	}
}

// vanished tells of what was there before the outage and is not any more.
func (w *watcher) vanished(ctx context.Context, round map[string]bool) {
	for key, is := range w.there {
		if is && !round[key] {
			w.send(ctx, Entry{Key: key, Deleted: true}, nil)
		}
	}
}

func entryOf(e jetstream.KeyValueEntry) Entry {
	if e.Operation() != jetstream.KeyValuePut {
		return Entry{Key: e.Key(), Revision: e.Revision(), Stored: e.Created(), Deleted: true}
	}
	return Entry{Key: e.Key(), Value: e.Value(), Revision: e.Revision(), Stored: e.Created()}
}
