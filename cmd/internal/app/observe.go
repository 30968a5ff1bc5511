package app

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// hook counts one request to the webhook address.
func (m *Metrics) hook(o calltouch.Observation) {
	switch {
	case o.Status != 200:
		m.refused.WithLabelValues(refusals[o.Status]).Inc()
		return
	case o.Aside != "":
		m.aside.WithLabelValues(o.Site, string(o.Aside)).Inc()
		m.received.WithLabelValues(o.Site, string(o.Kind), "aside").Inc()
	case o.Receipt != "":
		m.received.WithLabelValues(o.Site, string(o.Kind), string(o.Receipt)).Inc()
	}
	if o.Attribution {
		m.attribution.WithLabelValues(o.Site).Inc()
	}
	m.lastHook.WithLabelValues(o.Site).Set(now())
}

// refusals names the answers of the webhook address that are no receipt.
var refusals = map[int]string{
	404: "not_found", 405: "method", 413: "too_long", 503: "not_stored",
}

// statsEvery is how often the gauges of the links are read from the server.
const statsEvery = 5 * time.Second

// watchLinks keeps the gauges of all links until ctx ends.
func (m *Metrics) watchLinks(ctx context.Context, q *queue.Queue, file func() *link.File) error {
	ticker := time.NewTicker(statsEvery)
	defer ticker.Stop()
	for {
		for _, l := range file().Links {
			stats, err := q.LinkStats(ctx, l.ID)
			if err != nil {
				continue // not open yet, or the server is away: /readyz says so
			}
			m.setLink(l.ID, stats)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (m *Metrics) setLink(id string, s queue.LinkStats) {
	m.unread.WithLabelValues(id).Set(float64(s.Unread))
	m.retries.WithLabelValues(id).Set(float64(s.Waiting))
	m.letters.WithLabelValues(id).Set(float64(s.DeadLetters))
	age := 0.0
	if !s.Oldest.IsZero() {
		age = time.Since(s.Oldest).Seconds()
	}
	m.oldest.WithLabelValues(id).Set(age)
}

// settled counts one outcome.
func (m *Metrics) settled(d *queue.Delivery, x queue.Decision) {
	m.outcomes.WithLabelValues(d.Link, string(x.Outcome)).Inc()
	if x.Duration > 0 {
		m.request.WithLabelValues(d.Link).Observe(x.Duration.Seconds())
		m.attempts.WithLabelValues(d.Link, string(x.Outcome)).Inc()
	}
	if x.Outcome == event.Delivered {
		m.delivery.WithLabelValues(d.Link).Observe(time.Since(d.Event.Received).Seconds())
	}
}

// park notes that a link or an endpoint parks, or goes on.
func (m *Metrics) park(scope string, parked bool) {
	value := 0.0
	if parked {
		value = 1
	}
	m.parked.WithLabelValues(scope).Set(value)
}
