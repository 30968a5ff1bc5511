package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Ready reports nil when events can be stored, or an error that says what is wrong and what to do.
func (q *Queue) Ready(ctx context.Context) error {
	if !q.nc.IsConnected() {
		return fmt.Errorf("no connection to NATS at %s: see whether the server runs and can be reached; Touchbox connects by itself", q.where())
	}
	if err := checkVersion(q.nc.ConnectedServerVersion()); err != nil {
		return err
	}
	if err := q.wedge.err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for _, name := range []string{eventsStream, retriesStream, deadStream, historyStream, asideStream, stateStream} {
		if _, err := q.js.Stream(ctx, name); err != nil {
			return unready(name, err)
		}
	}
	return nil
}

// unready says what an unavailable stream means.
func unready(name string, err error) error {
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%s is missing: ingest and worker create it when they start", name)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("this NATS server runs without JetStream: start it with -js or a jetstream block: %w", err)
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("nobody answers for JetStream (%s): see whether the NATS server has it on, in a cluster whether a majority runs: %w", name, err)
	case unanswered(err):
		return fmt.Errorf("JetStream does not answer for %s: see the NATS server's log and disk; if its disk was full, free space and restart it: %w", name, err)
	}
	return describe(name, err)
}
