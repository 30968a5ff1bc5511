package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Troubles is a counter of what requests to the webhook address show to be wrong in a setting, by site
// and reason. It says each in the log once an hour or a day, and keeps the counts in STATE for the
// commands.
type Troubles struct {
	state queue.State
	log   zerolog.Logger

	mu     sync.Mutex
	counts map[troubleName]*troubleCount
	wake   chan struct{} // full when one is to be said now
}

type troubleName struct {
	site   string
	reason calltouch.TroubleReason
}

type troubleCount struct {
	detail      string
	unsaid      int       // since it was said
	unstored    int       // since STATE had it
	first, last time.Time // of the unstored
	said        time.Time
}

const (
	// maxTroubles bounds the memory that strangers can fill: further sites count as no site.
	maxTroubles = 100
	// troublesEvery is how often STATE gets the counts.
	troublesEvery = time.Minute
)

// sayEvery is how often each reason is said. A wrong time zone spoils times and loses nothing.
func sayEvery(reason calltouch.TroubleReason) time.Duration {
	if reason == calltouch.TroubleTimezone {
		return 24 * time.Hour
	}
	return time.Hour
}

// NewTroubles makes the counter of one process.
func NewTroubles(q *queue.Queue, log zerolog.Logger) *Troubles {
	return &Troubles{state: q.State(), log: log, counts: map[troubleName]*troubleCount{}, wake: make(chan struct{}, 1)}
}

// Note counts one. It never blocks: a request waits for it.
func (t *Troubles) Note(one calltouch.Trouble) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := troubleName{one.Site, one.Reason}
	if t.counts[name] == nil && len(t.counts) >= maxTroubles {
		name.site = ""
	}
	c := t.counts[name]
	if c == nil {
		c = &troubleCount{}
		t.counts[name] = c
	}
	now := time.Now().UTC()
	if c.unstored == 0 {
		c.first = now
	}
	c.unsaid, c.unstored, c.last, c.detail = c.unsaid+1, c.unstored+1, now, one.Detail
	if now.Sub(c.said) >= sayEvery(name.reason) {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// Run says and stores what was noted, until ctx ends.
func (t *Troubles) Run(ctx context.Context) error {
	tick := time.NewTicker(troublesEvery)
	defer tick.Stop()
	for minute := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-tick.C:
			if minute++; minute%60 == 0 {
				_ = removeOldTroubles(ctx, t.state, time.Now()) // again in an hour
			}
		}
		t.say(time.Now())
		t.store(ctx)
	}
}

// say writes to the log what is due.
func (t *Troubles) say(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, c := range t.counts {
		if c.unsaid == 0 || now.Sub(c.said) < sayEvery(name.reason) {
			continue
		}
		t.log.Warn().Str("site", name.site).Str("reason", string(name.reason)).Int("requests", c.unsaid).Msg(troubleText(name.reason, c.detail))
		c.unsaid, c.said = 0, now
	}
}

func troubleText(reason calltouch.TroubleReason, detail string) string {
	switch reason {
	case calltouch.TroubleKey:
		return "hooks come with a wrong key for this site and are answered 404: compare the webhook's address in Calltouch with the one of touchbox.yaml"
	case calltouch.TroubleNoKey:
		return "hooks come to this site, which has no key in touchbox.yaml, and are answered 404: give it one, and enter it in Calltouch"
	case calltouch.TroubleSite:
		return "hooks come to a site that is not in touchbox.yaml, and are answered 404: compare the webhook's address in Calltouch with the file"
	case calltouch.TroubleNetwork:
		return "hooks with the right key come from a network that is not allowed, and are answered 404: check INGEST_ALLOW and INGEST_TRUSTED_PROXIES"
	case calltouch.TroubleTimezone:
		return fmt.Sprintf("the time zone of this site is wrong in touchbox.yaml: the cabinet's clock shows %s", detail)
	}
	return string(reason)
}

// store brings the counts to STATE. What cannot be stored now is stored with the next.
func (t *Troubles) store(ctx context.Context) {
	for name, c := range t.takeUnstored() {
		err := addTrouble(ctx, t.state, Trouble{
			Site: name.site, Reason: name.reason, Detail: c.detail, Count: c.unstored, First: c.first, Last: c.last,
		})
		if err != nil {
			t.putBack(name, c)
		}
	}
}

// takeUnstored returns what is not stored yet, and drops what was neither noted nor said for a day.
func (t *Troubles) takeUnstored() map[troubleName]troubleCount {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[troubleName]troubleCount{}
	for name, c := range t.counts {
		if c.unstored > 0 {
			out[name] = *c
			c.unstored = 0
		} else if time.Since(c.last) > TroubleFor && c.unsaid == 0 {
			delete(t.counts, name)
		}
	}
	return out
}

func (t *Troubles) putBack(name troubleName, c troubleCount) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.counts[name]; now != nil {
		now.unstored += c.unstored
		now.first = c.first
	}
}

// Trouble is a setting that requests to the webhook address have shown to be wrong of late. It
// stands in STATE under event.TroubleKeys, where ingest may write; what is older than
// TroubleFor counts as mended.
type Trouble struct {
	Site   string                  `json:"site,omitempty"` // as the address had it; "" where that is no id
	Reason calltouch.TroubleReason `json:"reason"`
	Detail string                  `json:"detail,omitempty"`
	Count  int                     `json:"count"` // of requests since First
	First  time.Time               `json:"first"`
	Last   time.Time               `json:"last"`
}

// TroubleFor is how long after its last request a trouble is told of.
const TroubleFor = 24 * time.Hour

// noSite stands in a key for an unknown site.
const noSite = "-"

func (t Trouble) key() string {
	site := t.Site
	if site == "" {
		site = noSite
	}
	return event.TroubleKey(string(t.Reason), site)
}

// addTrouble adds to what STATE knows of a trouble: several processes may. ErrConflict means that
// another one was faster; what is in t is then to be added again.
func addTrouble(ctx context.Context, state queue.State, t Trouble) error {
	var before Trouble
	revision, err := state.Get(ctx, t.key(), &before)
	if errors.Is(err, queue.ErrNotFound) {
		_, err = state.Create(ctx, t.key(), t)
		return err
	}
	if err != nil {
		return err
	}
	if t.First.Sub(before.Last) < TroubleFor {
		t.First, t.Count = before.First, t.Count+before.Count
	}
	_, err = state.Update(ctx, t.key(), t, revision)
	return err
}

// ListTroubles lists what the requests of the day before now have shown to be wrong, the newest first.
func ListTroubles(ctx context.Context, state queue.State, now time.Time) ([]Trouble, error) {
	entries, err := state.List(ctx, string(event.TroubleKeys))
	if err != nil {
		return nil, err
	}
	var list []Trouble
	for _, e := range entries {
		var t Trouble
		if err := json.Unmarshal(e.Value, &t); err != nil {
			return nil, fmt.Errorf("state %s: %w", e.Key, err)
		}
		if now.Sub(t.Last) < TroubleFor {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(x, y Trouble) int { return y.Last.Compare(x.Last) })
	return list, nil
}

// removeOldTroubles removes from STATE what is older than TroubleFor: strangers could fill it.
func removeOldTroubles(ctx context.Context, state queue.State, now time.Time) error {
	entries, err := state.List(ctx, string(event.TroubleKeys))
	if err != nil {
		return err
	}
	for _, e := range entries {
		var t Trouble
		if json.Unmarshal(e.Value, &t) == nil && now.Sub(t.Last) < TroubleFor {
			continue
		}
		if err := state.Delete(ctx, e.Key); err != nil {
			return err
		}
	}
	return nil
}
