package keep

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// recheckEvery is how often what was found lost is looked up again, and recheckMost how much of it: the
// alert ends some minutes after the last one was put back.
const (
	recheckEvery = 5 * time.Minute
	recheckMost  = 1000
)

// lostSeen is what the last look for lost retries has found, and when that was.
type lostSeen struct {
	retries []LostRetry
	at      time.Time
}

// findLost finds and tells of events that wait and that RETRIES does not hold any more.
func (k *keeper) findLost(ctx context.Context) error {
	lost, err := LostRetries(ctx, k.q, queue.Filter{})
	if err != nil {
		return err
	}
	k.lost = lostSeen{lost, time.Now()}
	return k.tellLost(ctx)
}

// recheckLost looks whether what was found is lost still.
func (k *keeper) recheckLost(ctx context.Context) error {
	if len(k.lost.retries) == 0 || time.Since(k.lost.at) < recheckEvery {
		return nil
	}
	k.lost.at = time.Now()
	var still []LostRetry
	for i, l := range k.lost.retries {
		if i >= recheckMost {
			still = append(still, k.lost.retries[i:]...)
			break
		}
		now, err := stillLost(ctx, k.q, linkEvent{l.Link, l.Key.Subject()}, l.Record)
		if err != nil {
			return err
		}
		if now != nil {
			still = append(still, *now)
		}
	}
	if len(still) == len(k.lost.retries) {
		return nil
	}
	k.lost.retries = still
	return k.tellLost(ctx)
}

// tellLost says of each link how many it is.
func (k *keeper) tellLost(ctx context.Context) error {
	links, err := k.q.Links(ctx)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, l := range k.lost.retries {
		counts[l.Link]++
	}
	for _, l := range links {
		if k.c.Observe.Lost != nil {
			k.c.Observe.Lost(l.ID, counts[l.ID])
		}
	}
	if len(counts) > 0 {
		var some []string
		for _, l := range k.lost.retries[:min(3, len(k.lost.retries))] {
			some = append(some, l.Link+" "+l.Key.String())
		}
		k.log.Error().Int("events", len(k.lost.retries)).Str("among_them", strings.Join(some, ", ")).
			Msg("events wait and nothing holds them any more, because RETRIES was damaged or replaced by an older copy: `touchbox retries --restore` puts them back")
	}
	return nil
}

// versionGrace is how long a version stays without being named: it was written before the first
// event that it decides about.
const versionGrace = time.Hour

// dropVersions removes the versions of links that neither HISTORY nor a dead letter names any more
// and that no worker uses.
func (k *keeper) dropVersions(ctx context.Context) error {
	unnamed := map[string]bool{}
	entries, err := k.q.State().List(ctx, string(event.VersionKeys))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if k.now.Sub(e.Stored) > versionGrace {
			unnamed[event.VersionKeys.Name(e.Key)] = true
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
		if err := k.q.State().Delete(ctx, event.VersionKeys.Of(version)); err != nil {
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
		version func(*jet.Message) string
	}{{event.HistoryStream, recordVersion}, {event.DeadLettersStream, deadLetterVersion}} {
		if len(unnamed) == 0 {
			return nil
		}
		for m, err := range k.jet.Flow(ctx, in.stream, jet.Anything, 1) {
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

func recordVersion(m *jet.Message) string {
	var r struct {
		Version string `json:"version"`
	}
	_ = json.Unmarshal(m.Data, &r) // one that cannot be read names nothing
	return r.Version
}

func deadLetterVersion(m *jet.Message) string { return event.LabelVersion(m.Header) }

// expiryWarning is how long before they go dead letters are warned of.
const expiryWarning = 7 * 24 * time.Hour

// warnOfExpiry tells of dead letters that the server deletes soon because they are as old as
// keep.deadletters.
func (k *keeper) warnOfExpiry(ctx context.Context) error {
	d, err := k.q.Extent(ctx, event.DeadLettersStream)
	if err != nil || d.Messages == 0 {
		return err
	}
	keep := k.q.Options().Limits.DeadLetters
	oldest, err := k.jet.Next(ctx, event.DeadLettersStream, jet.Anything, 1)
	if err != nil {
		return jet.Ignore(err, queue.ErrNotFound)
	}
	goes := oldest.Time.Add(keep)
	if goes.Sub(k.now) > min(expiryWarning, keep/2) {
		return nil
	}
	k.log.Warn().Uint64("deadletters", d.Messages).Time("oldest_goes", goes).
		Msg("dead letters are about to be deleted for their age: replay or drop them, or raise keep.deadletters")
	return nil
}
