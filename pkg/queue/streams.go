package queue

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// Names of the streams and the bucket.
const (
	eventsStream  = "TOUCHBOX_EVENTS"
	retriesStream = "TOUCHBOX_RETRIES"
	deadStream    = "TOUCHBOX_DEADLETTERS"
	historyStream = "TOUCHBOX_HISTORY"
	asideStream   = "TOUCHBOX_ASIDE"
	stateBucket   = "touchbox-state"
	stateStream   = "KV_" + stateBucket
	statePrefix   = "$KV." + stateBucket + "."
)

// Beginnings of the subjects. Behind them stand, as far as they have them: link, site, kind, id.
const (
	eventPrefix   = "touchbox.event."
	atPrefix      = "touchbox.retry.at."
	duePrefix     = "touchbox.retry.due."
	anyRetry      = "touchbox.retry.*."
	deadPrefix    = "touchbox.dead."
	historyPrefix = "touchbox.history."
	asidePrefix   = "touchbox.aside."
)

// EventSubject is the subject of the events of one site and kind, all ids.
func EventSubject(site string, kind event.Kind) string {
	return eventPrefix + site + "." + string(kind) + ".*"
}

// Bounds of ASIDE.
const (
	asideBytes = 256_000_000
	asideAge   = 7 * 24 * time.Hour
)

// markerTTL is how long the trace of a vanished value stays in STATE, for watchers that were away.
const markerTTL = time.Minute

// wanted is how the streams are to be. EVENTS refuses what is new when it is full, because what it
// holds may be undelivered; so do DEADLETTERS. RETRIES has no bounds: they would drop, without a
// word, what waits. HISTORY and ASIDE drop their oldest.
func wanted(o Options) []jetstream.StreamConfig {
	disk := o.Limits.Disk
	return []jetstream.StreamConfig{{
		Name: eventsStream, Subjects: []string{eventPrefix + "*.*.*"},
		Description: "Touchbox: the log of raw events",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: disk,
		AllowRollup: true, AllowAtomicPublish: true,
	}, {
		Name: retriesStream, Subjects: []string{atPrefix + "*.*.*.*", duePrefix + "*.*.*.*"},
		Description: "Touchbox: events that are to be tried again",
		Retention:   jetstream.WorkQueuePolicy, Discard: jetstream.DiscardOld,
		AllowRollup: true, AllowMsgSchedules: true,
	}, {
		Name: deadStream, Subjects: []string{deadPrefix + "*.*.*.*"},
		Description: "Touchbox: events that were given up",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: disk / 10,
		MaxAge: o.Limits.DeadLetters, MaxMsgsPerSubject: 1,
	}, {
		Name: historyStream, Subjects: []string{historyPrefix + "*.*.*"},
		Description: "Touchbox: what became of each event",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxBytes: disk / 2,
		AllowAtomicPublish: true,
	}, {
		Name: asideStream, Subjects: []string{asidePrefix + "*.*"},
		Description: "Touchbox: what came and is no event",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxBytes: min(disk/10, asideBytes),
		MaxAge: asideAge,
	}}
}

// Provision creates the streams and the bucket, or brings them to what they are to be. It deletes
// nothing: a difference that the server does not let go is an error that says which. A server that
// does not answer, because its disk is busy or its cluster has no leader yet, is asked until ctx
// ends.
func (q *Queue) Provision(ctx context.Context) error {
	return backoff.RetryNotify(func() error {
		err := q.provisionAll(ctx)
		if err != nil && !unanswered(err) && code(err) != codeClusterNotAvailable {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(patient(), ctx), func(err error, _ time.Duration) {
		if q.alarms.due("provision") {
			q.log.Warn().Err(err).Msg("JetStream does not answer yet, trying on")
		}
	})
}

func (q *Queue) provisionAll(ctx context.Context) error {
	for _, want := range wanted(q.opts) {
		want.Replicas, want.AllowDirect, want.Storage = q.opts.Replicas, true, jetstream.FileStorage
		if err := q.provision(ctx, want); err != nil {
			return err
		}
	}
	return q.provisionState(ctx)
}

func (q *Queue) provision(ctx context.Context, want jetstream.StreamConfig) error {
	s, err := q.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = q.js.CreateStream(ctx, want)
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // else another process was faster
			return q.refused("create stream "+want.Name, err)
		}
		s, err = q.js.Stream(ctx, want.Name)
	}
	if err != nil {
		return q.refused("look for stream "+want.Name, err)
	}
	have := s.CachedInfo().Config
	merged := merge(have, want)
	if reflect.DeepEqual(have, merged) {
		return nil
	}
	differences := strings.Join(difference(have, merged), "; ")
	if _, err := q.js.UpdateStream(ctx, merged); err != nil {
		return q.refused(fmt.Sprintf("stream %s is not as Touchbox needs it (%s), and the server does not change it; "+
			"nothing was changed or deleted", want.Name, differences), err)
	}
	q.log.Info().Str("stream", want.Name).Str("changes", differences).Msg("stream brought up to the configuration")
	return nil
}

// refused adds to the server's words what a person can do.
func (q *Queue) refused(what string, err error) error {
	if code(err) == codeNoRoomForStream {
		need := q.opts.Limits.Disk * 17 / 10
		return fmt.Errorf("%s: the server's JetStream store is too small: keep.disk of %d bytes needs %d in all; "+
			"raise max_file_store or lower keep.disk: %w", what, q.opts.Limits.Disk, need, err)
	}
	return describe(what, err)
}

// merge sets in have what matters to us and leaves the rest to whoever runs the server.
func merge(have, want jetstream.StreamConfig) jetstream.StreamConfig {
	have.Subjects, have.Description = want.Subjects, want.Description
	have.Retention, have.Discard, have.Storage = want.Retention, want.Discard, want.Storage
	have.MaxBytes, have.MaxAge = orNone(want.MaxBytes), want.MaxAge
	have.MaxMsgs, have.MaxMsgsPerSubject = -1, orNone(want.MaxMsgsPerSubject)
	have.DiscardNewPerSubject = false
	have.Replicas, have.AllowDirect = want.Replicas, want.AllowDirect
	have.AllowRollup, have.AllowAtomicPublish = want.AllowRollup, want.AllowAtomicPublish
	have.AllowMsgSchedules = want.AllowMsgSchedules
	return have
}

// orNone spells "no limit" as the server does.
func orNone(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

// difference names the fields in which two configurations differ.
func difference(have, want jetstream.StreamConfig) []string {
	var out []string
	h, w := reflect.ValueOf(have), reflect.ValueOf(want)
	for i := range h.NumField() {
		a, b := h.Field(i).Interface(), w.Field(i).Interface()
		if !reflect.DeepEqual(a, b) {
			name, _, _ := strings.Cut(h.Type().Field(i).Tag.Get("json"), ",")
			out = append(out, fmt.Sprintf("%s is %v, to be %v", name, a, b))
		}
	}
	slices.Sort(out)
	return out
}

func (q *Queue) provisionState(ctx context.Context) error {
	_, err := q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: stateBucket, Description: "Touchbox: starts of links, leases, what is parked",
		History: 1, Replicas: q.opts.Replicas, Storage: jetstream.FileStorage, LimitMarkerTTL: markerTTL,
	})
	return q.refused("bucket "+stateBucket, err)
}
