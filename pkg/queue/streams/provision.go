package streams

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
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// Bounds of ASIDE and AUDIT, which share a tenth of the disk.
const (
	asideBytes = 256_000_000
	asideAge   = 7 * 24 * time.Hour
	auditBytes = 100_000_000
)

// auditOf is the part of AUDIT.
func auditOf(disk int64) int64 { return min(disk/100, auditBytes) }

// MarkerTTL is how long the trace of a value stays in STATE that had a time to live, for watchers that
// were away; that time is shorter.
const MarkerTTL = time.Minute

// wanted is how the streams are to be. EVENTS refuses what is new when it is full, because what it
// holds may be undelivered; so do DEADLETTERS. RETRIES has no bounds: they would drop, without a
// word, what waits. HISTORY and ASIDE drop their oldest. AUDIT refuses what is new, so that nobody can push out what he did.
func wanted(o Options) []jetstream.StreamConfig {
	disk := o.Disk
	return []jetstream.StreamConfig{{
		Name: event.EventsStream, Subjects: []string{event.LogSubjects.Of("*.*.*")},
		Description: "Touchbox: the log of raw events",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: disk,
		AllowAtomicPublish: true, // and no roll-ups: with one, whoever may publish could purge
	}, {
		Name: event.RetriesStream, Subjects: []string{event.AtSubjects.Of("*.*.*.*"), event.DueSubjects.Of("*.*.*.*")},
		Description: "Touchbox: events that are to be tried again",
		Retention:   jetstream.WorkQueuePolicy, Discard: jetstream.DiscardOld,
		AllowRollup: true, AllowMsgSchedules: true,
	}, {
		Name: event.DeadLettersStream, Subjects: []string{event.DeadSubjects.Of("*.*.*.*")},
		Description: "Touchbox: events that were given up",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: disk / 10,
		MaxAge: o.DeadLetters, MaxMsgsPerSubject: 1,
	}, {
		Name: event.HistoryStream, Subjects: []string{event.HistorySubjects.Of("*.*.*")},
		Description: "Touchbox: what became of each event",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxBytes: disk / 2,
		AllowAtomicPublish: true,
	}, {
		Name: event.AsideStream, Subjects: []string{event.AsideSubjects.Of("*.*")},
		Description: "Touchbox: what came and is no event",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxBytes: min(disk/10-auditOf(disk), asideBytes),
		MaxAge: asideAge,
	}, {
		Name: event.AuditStream, Subjects: []string{event.AuditSubjects.Of("*")},
		Description: "Touchbox: who changed or saw what",
		Retention:   jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: auditOf(disk),
		MaxAge: o.Audit,
	}}
}

// Provision creates the streams and the bucket, or brings them to what they are to be. It deletes
// nothing: a difference that the server does not let go is an error that says which. A server that
// does not answer, because its disk is busy or its cluster has no leader yet, is asked until ctx
// ends. A user of the server who may not create streams waits until somebody else has, and leaves
// differences to them.
func (s *Streams) Provision(ctx context.Context) error {
	return backoff.RetryNotify(func() error {
		restoring, err := s.Restoring(ctx)
		if restoring {
			return backoff.Permanent(ErrRestoring)
		}
		if err == nil {
			err = s.all(ctx)
		}
		if err != nil && !jet.Unanswered(err) && !errors.Is(err, jet.ErrDenied) && !jet.NoLeader(err) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(jet.NewBackoff(), ctx), func(err error, _ time.Duration) {
		if s.said.Due("provision", time.Minute) {
			s.log.Warn().Err(err).Msg("the streams are not there yet, trying on")
		}
	})
}

// all brings the streams and the bucket to what they are to be.
func (s *Streams) all(ctx context.Context) error {
	for _, want := range wanted(s.opts) {
		if err := s.stream(ctx, want); err != nil {
			return err
		}
	}
	return s.bucket(ctx)
}

// Make creates a stream that is missing, as one that a later version has added is until its worker has started. What is
// there stays as it is.
func (s *Streams) Make(ctx context.Context, name string) error {
	_, err := s.js.Stream(ctx, name)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	for _, want := range wanted(s.opts) {
		if want.Name == name {
			return s.stream(ctx, want)
		}
	}
	return jet.ErrNotFound
}

// stream creates a stream, or brings it to what it is to be.
func (s *Streams) stream(ctx context.Context, want jetstream.StreamConfig) error {
	want.Replicas, want.AllowDirect, want.Storage = s.opts.Replicas, true, jetstream.FileStorage
	handle, err := s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = s.jet.Permitted(ctx, createStream+want.Name, func(ctx context.Context) error {
			_, err := s.js.CreateStream(ctx, want)
			return err
		})
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // else another process was faster
			return s.refused(ctx, "create stream "+want.Name, s.overlapping(ctx, want, err))
		}
		handle, err = s.js.Stream(ctx, want.Name)
	}
	if err != nil {
		return s.refused(ctx, "look for stream "+want.Name, err)
	}
	have := handle.CachedInfo().Config
	merged := merge(have, want)
	if want.Name == event.HistoryStream && merged.MaxBytes > 0 {
		// What it drops at once would be outcomes of events that are kept. Retention makes room, with the
		// new bound in mind, and then the bound follows.
		merged.MaxBytes = max(merged.MaxBytes, min(have.MaxBytes, int64(handle.CachedInfo().State.Bytes)))
	}
	if reflect.DeepEqual(have, merged) {
		return nil
	}
	differences := strings.Join(difference(have, merged), "; ")
	err = s.jet.Permitted(ctx, updateStream+want.Name, func(ctx context.Context) error {
		_, err := s.js.UpdateStream(ctx, merged)
		return err
	})
	if errors.Is(err, jet.ErrDenied) {
		s.log.Warn().Str("stream", want.Name).Str("changes", differences).Msg("the stream differs from the configuration; this NATS user leaves it to a worker")
		return nil
	}
	if err != nil {
		return s.refused(ctx, fmt.Sprintf("stream %s is not as Touchbox needs it (%s), and the server does not change it; "+
			"nothing was changed or deleted", want.Name, differences), err)
	}
	s.log.Info().Str("stream", want.Name).Str("changes", differences).Msg("stream brought up to the configuration")
	return nil
}

// The subjects of JetStream's API that not every user may publish to.
const (
	createStream = "$JS.API.STREAM.CREATE."
	updateStream = "$JS.API.STREAM.UPDATE."
)

// codeOverlap is the server's for subjects that another stream has; it does not say which one.
const codeOverlap = jetstream.ErrorCode(10065)

// overlapping names the streams that have the subjects which one of ours is to have.
func (s *Streams) overlapping(ctx context.Context, want jetstream.StreamConfig, err error) error {
	if api, ok := errors.AsType[*jetstream.APIError](err); !ok || api.ErrorCode != codeOverlap {
		return err
	}
	var names []string
	for _, subject := range want.Subjects {
		for name := range s.js.StreamNames(ctx, jetstream.WithStreamListSubject(subject)).Name() {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return err
	}
	slices.Sort(names)
	return fmt.Errorf("the server has a stream of somebody else with the same subjects, %s: give Touchbox an account of its own, or take them out of it: %w",
		strings.Join(slices.Compact(names), ", "), err)
}

// refused adds to the server's words what a person can do.
func (s *Streams) refused(ctx context.Context, what string, err error) error {
	if errors.Is(err, jet.ErrDenied) {
		return fmt.Errorf("%s: %w: start a worker, which may", what, err)
	}
	if !jet.NoRoomForStream(err) {
		return jet.Describe(what, err)
	}
	need := s.opts.Disk * 17 / 10
	if reserved := s.reserved(ctx); reserved > need {
		return fmt.Errorf("%s: the streams reserve %d bytes of the server's JetStream store, which allows less by now, so they cannot "+
			"be made smaller: start nats-server with max_file_store of at least %d, start Touchbox, which brings them down to the %d bytes "+
			"that keep.disk of %d needs, and lower max_file_store after that: %w", what, reserved, reserved, need, s.opts.Disk, err)
	}
	return fmt.Errorf("%s: the server's JetStream store is too small: keep.disk of %d bytes needs %d in all; "+
		"raise max_file_store or lower keep.disk: %w", what, s.opts.Disk, need, err)
}

// reserved is what the streams may hold together as they are, as far as the server says so.
func (s *Streams) reserved(ctx context.Context) int64 {
	var sum int64
	for _, one := range sized {
		if e, err := s.Extent(ctx, one.stream); err == nil {
			sum += e.Bound
		}
	}
	return sum
}

// wantedBytes is the bound that a stream is to have; 0: none.
func wantedBytes(o Options, stream string) int64 {
	for _, want := range wanted(o) {
		if want.Name == stream {
			return want.MaxBytes
		}
	}
	return 0
}

// FitHistory brings the bound of HISTORY to what it is to be, once there is room: with a lowered keep.disk it
// held more at the start.
func (s *Streams) FitHistory(ctx context.Context) error {
	h, err := s.Extent(ctx, event.HistoryStream)
	if err != nil || h.Bound <= h.Limit || h.Bytes > h.Limit {
		return err
	}
	for _, want := range wanted(s.opts) {
		if want.Name == event.HistoryStream {
			err = s.stream(ctx, want)
		}
	}
	return err
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

// bucket creates the bucket, or brings it to what it is to be.
func (s *Streams) bucket(ctx context.Context) error {
	want := jetstream.KeyValueConfig{
		Bucket: event.StateBucket, Description: "Touchbox: starts of links, leases, what is parked",
		History: 1, Replicas: s.opts.Replicas, Storage: jetstream.FileStorage, LimitMarkerTTL: MarkerTTL,
	}
	have, err := s.js.Stream(ctx, event.StateStream)
	if err == nil && asWanted(have.CachedInfo().Config, want) {
		return nil
	}
	subject, change := updateStream+event.StateStream, s.js.UpdateKeyValue
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		subject, change = createStream+event.StateStream, s.js.CreateKeyValue
	}
	err = s.jet.Permitted(ctx, subject, func(ctx context.Context) error {
		_, err := change(ctx, want)
		return err
	})
	if errors.Is(err, jetstream.ErrBucketExists) { // another process was faster
		return nil
	}
	if errors.Is(err, jet.ErrDenied) && have != nil {
		return nil // as it is, it serves
	}
	return s.refused(ctx, "bucket "+event.StateBucket, err)
}

// asWanted reports whether the bucket's stream needs no change.
func asWanted(have jetstream.StreamConfig, want jetstream.KeyValueConfig) bool {
	return have.Description == want.Description && have.Replicas == want.Replicas && have.Storage == want.Storage &&
		have.MaxMsgsPerSubject == int64(want.History) && have.SubjectDeleteMarkerTTL == want.LimitMarkerTTL
}
