package queue

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// purgeHistory removes records that are older than keep.history, or more of them with more than
// pressedShare of its bound; in no case those of events that the log still holds, by the arrival
// of its oldest.
func (k *keeper) purgeHistory(ctx context.Context) error {
	h, err := k.q.extent(ctx, historyStream)
	if err != nil {
		return err
	}
	end := h.last + 1
	upTo, err := k.q.sequenceAt(ctx, historyStream, k.now.Add(-k.c.History), end)
	if err != nil {
		return err
	}
	pressed := h.above(pressedShare)
	if pressed {
		upTo = min(max(upTo, h.cut(h.limit/100*relaxedShare)), end)
	}
	oldest, err := k.q.next(ctx, eventsStream, anything, 1)
	if err == nil {
		bound, err := k.q.sequenceAt(ctx, historyStream, oldest.Time, end)
		if err != nil {
			return err
		}
		upTo = min(upTo, bound)
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	if upTo > h.first {
		if err := k.q.purge(ctx, historyStream, upTo); err != nil {
			return err
		}
	}
	return k.alarmHistory(ctx, pressed)
}

// alarmHistory tells of a HISTORY that stays nearly full: the server drops its oldest records when
// it is, also those of events that are kept.
func (k *keeper) alarmHistory(ctx context.Context, pressed bool) error {
	if !pressed {
		return nil
	}
	h, err := k.q.extent(ctx, historyStream)
	if err == nil && h.above(pressedShare) && k.mayTell("history") {
		k.q.log.Error().Int64("bytes", h.bytes).Int64("limit_bytes", h.limit).
			Msg("the history is nearly full and the log holds it; when it is full, its oldest records go: look for a link that stands still, or raise keep.disk")
	}
	return err
}

// versionKeys begin the keys of STATE under which workers keep each version of a link.
const versionKeys = "version."

// versionGrace is how long a version stays without being named: it was written before the first
// event that it decides about.
const versionGrace = time.Hour

// dropVersions removes the versions of links that neither HISTORY nor a dead letter names any more
// and that no worker uses.
func (k *keeper) dropVersions(ctx context.Context) error {
	unnamed := map[string]bool{}
	for m, err := range k.q.scan(ctx, stateStream, statePrefix+versionKeys+"*", 1) {
		if err != nil {
			return err
		}
		if !removed(m.Header) && k.now.Sub(m.Time) > versionGrace {
			unnamed[strings.TrimPrefix(m.Subject, statePrefix+versionKeys)] = true
		}
	}
	if k.c.Versions != nil {
		used, err := k.c.Versions(ctx)
		if err != nil {
			return err
		}
		for _, version := range used {
			delete(unnamed, version)
		}
	}
	if err := k.findNamed(ctx, unnamed); err != nil {
		return err
	}
	for version := range unnamed {
		if err := k.q.State().Delete(ctx, versionKeys+version); err != nil {
			return err
		}
	}
	return nil
}

// findNamed takes out of unnamed what is named. A version that was replaced is named by old
// records, so the search is short as a rule.
func (k *keeper) findNamed(ctx context.Context, unnamed map[string]bool) error {
	for _, in := range []struct {
		stream  string
		version func(*stored) string
	}{{historyStream, recordVersion}, {deadStream, letterVersion}} {
		if len(unnamed) == 0 {
			return nil
		}
		for m, err := range k.q.scan(ctx, in.stream, anything, 1) {
			if err != nil {
				return err
			}
			if delete(unnamed, in.version(m)); len(unnamed) == 0 {
				return nil
			}
		}
	}
	return nil
}

func recordVersion(m *stored) string {
	var r struct {
		Version string `json:"version"`
	}
	_ = json.Unmarshal(m.Data, &r) // one that cannot be read names nothing
	return r.Version
}

func letterVersion(m *stored) string { return m.Header.Get(headerVersion) }

// expiryWarning is how long before they go dead letters are warned of.
const expiryWarning = 7 * 24 * time.Hour

// warnOfExpiry tells of dead letters that the server deletes soon because they are as old as
// keep.deadletters.
func (k *keeper) warnOfExpiry(ctx context.Context) error {
	d, err := k.q.extent(ctx, deadStream)
	if err != nil || d.messages == 0 {
		return err
	}
	keep := k.q.opts.Limits.DeadLetters
	oldest, err := k.q.next(ctx, deadStream, anything, 1)
	if err != nil {
		return ignore(err, ErrNotFound)
	}
	goes := oldest.Time.Add(keep)
	if goes.Sub(k.now) > min(expiryWarning, keep/2) {
		return nil
	}
	k.q.log.Warn().Uint64("deadletters", d.messages).Time("oldest_goes", goes).
		Msg("dead letters are about to be deleted for their age: replay or drop them, or raise keep.deadletters")
	return nil
}
