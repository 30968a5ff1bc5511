package app

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
)

// retention is how long what is kept, and who hears of it. It holds until the process ends, as the
// bounds of the streams do.
func (n *Node) retention(ctx context.Context, w *pipeline.Worker, m *Metrics, a *alerts) queue.RetentionConfig {
	c := queue.RetentionConfig{
		Events: n.File.Keep.Events, History: n.File.Keep.History, Versions: w.Versions,
		Observe: queue.RetentionObserver{
			Looked: func(l queue.Look) {
				m.streams(l)
				a.streams(ctx, l)
			},
			Abandoned: func(link string, events int) {
				m.abandon(link, events)
				a.set(ctx, CauseAbandoned, link, true, abandonedText(link, events))
			},
		},
	}
	if len(n.File.Sites) > 0 {
		c.Location = n.File.Sites[0].Location
	}
	return c
}

// streams notes how full the streams are.
func (m *Metrics) streams(l queue.Look) {
	for _, s := range l.Streams {
		m.bytes.WithLabelValues(s.Stream).Set(float64(s.Bytes))
		if s.Limit > 0 {
			m.limit.WithLabelValues(s.Stream).Set(float64(s.Limit))
		}
	}
	if !l.Horizon.IsZero() {
		m.horizon.Set(float64(l.Horizon.UnixMilli()) / 1000)
	}
}

// abandon counts events that a link has lost.
func (m *Metrics) abandon(link string, events int) {
	m.abandoned.WithLabelValues(link).Add(float64(events))
}

// A stream's alarm rings above diskAlarm of its bound and is over below diskOver: making room goes
// further down than that.
const (
	diskAlarm = 0.80
	diskOver  = 0.75
)

// streams raises and clears what the sizes tell. What was abandoned is over when the log has room.
func (a *alerts) streams(ctx context.Context, l queue.Look) {
	if a.url == "" {
		return
	}
	for _, s := range l.Streams {
		switch share := s.Share(); {
		case s.Limit == 0:
		case share > diskAlarm:
			a.set(ctx, CauseDisk, s.Stream, true, fullText(s))
		case share < diskOver:
			a.set(ctx, CauseDisk, s.Stream, false, fmt.Sprintf("the stream %s has room again.", s.Stream))
			if s.Stream == queue.StreamEvents {
				a.endAbandoned(ctx)
			}
		}
	}
}

// endAbandoned clears the alarm of every link that has lost events.
func (a *alerts) endAbandoned(ctx context.Context) {
	prefix := "alert." + string(CauseAbandoned) + "."
	raised, err := a.queue.State().List(ctx, prefix)
	if err != nil {
		return // the next look tries again
	}
	for _, e := range raised {
		if name, err := hex.DecodeString(strings.TrimPrefix(e.Key, prefix)); err == nil {
			a.set(ctx, CauseAbandoned, string(name), false, fmt.Sprintf("link %s loses no more events.", name))
		}
	}
}

func fullText(s queue.StreamSize) string {
	const format = "the stream %s fills %.0f %% of its %s: %s."
	advice := map[string]string{
		queue.StreamEvents: "what is done is deleted before its time; what a stopped or parked link has not read stays until the bound, see `touchbox links`, or raise keep.disk",
		"history":          "events are deleted before their time to make way for it; raise keep.disk",
		"deadletters":      "when it is full, events stay where they are: replay or drop dead letters, see `touchbox deadletters`",
		"aside":            "its oldest go when it is full, see `touchbox aside`",
	}
	return fmt.Sprintf(format, s.Stream, 100*s.Share(), gigabytes(s.Limit), advice[s.Stream])
}

func gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

func abandonedText(link string, events int) string {
	return fmt.Sprintf("the disk is full: link %s has lost its %d oldest unread events and loses more: start it or remove it (`touchbox links`), or raise keep.disk.", link, events)
}

// When too much of a site is set aside: more than asideMost hundredths of what came in the last
// asideSpan, where that was asideLeast or more.
const (
	asideSpan  = time.Hour
	asideLeast = 20
	asideMost  = 5
)

// asides raises or clears what the share that is set aside tells. It is counted in the store, so
// that several processes say the same.
func (a *alerts) asides(ctx context.Context, site *link.Site) {
	events, asides, err := a.queue.CountSince(ctx, site.ID, time.Now().Add(-asideSpan))
	if err != nil {
		return // the next look tries again
	}
	received := events + asides
	switch enough := received >= asideLeast; {
	case enough && 100*asides > asideMost*received:
		a.set(ctx, CauseAside, site.ID, true, fmt.Sprintf("%d of the %d last hooks and records of site %s were set aside: see `touchbox aside`.", asides, received, site.Name))
	case enough, asides == 0:
		a.set(ctx, CauseAside, site.ID, false, fmt.Sprintf("what comes from site %s is stored again.", site.Name))
	}
}
