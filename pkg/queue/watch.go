package queue

import (
	"context"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"
)

// Watch brings every value under a prefix, which ends with ".", then each change, until ctx ends
// and the channel closes. After an outage all values come again.
func (s State) Watch(ctx context.Context, prefix string) <-chan Entry {
	out := make(chan Entry)
	go func() {
		defer close(out)
		b := patient()
		for ctx.Err() == nil {
			if err := s.watch(ctx, prefix, out, b); err != nil && ctx.Err() == nil {
				s.q.log.Warn().Str("prefix", prefix).Err(err).Msg("watching STATE was interrupted")
			}
			_ = sleep(ctx, b.NextBackOff())
		}
	}()
	return out
}

// watch watches until something breaks.
func (s State) watch(ctx context.Context, prefix string, out chan<- Entry, b backoff.BackOff) error {
	kv, err := s.q.bucket(ctx)
	if err != nil {
		return err
	}
	w, err := kv.Watch(ctx, prefix+">")
	if err != nil {
		return err
	}
	defer func() { _ = w.Stop() }()
	b.Reset()
	for {
		select {
		case e, open := <-w.Updates():
			if !open {
				return nil
			}
			if e == nil { // the values that were there are through
				continue
			}
			select {
			case out <- entryOf(e):
			case <-ctx.Done():
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func entryOf(e jetstream.KeyValueEntry) Entry {
	if e.Operation() != jetstream.KeyValuePut {
		return Entry{Key: e.Key(), Revision: e.Revision(), Deleted: true}
	}
	return Entry{Key: e.Key(), Value: e.Value(), Revision: e.Revision()}
}
