package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// series are the values of labels for which there are metrics: label, value, whether it is in force.
type series map[string]map[string]bool

func (s series) set(label, value string) {
	if s[label] == nil {
		s[label] = map[string]bool{}
	}
	s[label][value] = true
}

// keep follows the file until ctx ends. What is still in hand when its link leaves the file would
// bring the link's counters back, so what has left is removed again and again.
func (m *Metrics) keep(ctx context.Context, n *Node, ready func(context.Context) error) error {
	ticker := time.NewTicker(statsEvery)
	defer ticker.Stop()
	for {
		m.follow(n)
		m.look(ctx, ready)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// look asks whether events can be stored.
func (m *Metrics) look(ctx context.Context, ready func(context.Context) error) {
	if ready(ctx) == nil {
		m.ready.Set(1)
	} else {
		m.ready.Set(0)
	}
}

// follow brings the metrics to the file in force. Every counter of which all labels are known begins
// at 0: Prometheus sees no increase in one that is born with its first value, and no alert would ring
// for it. What a link, site or scope has that has left the file would stand for ever, and goes.
func (m *Metrics) follow(n *Node) {
	file := n.current.Load()
	now := series{}
	for _, s := range file.Sites { // a worker has some too: the log tells it of the hooks
		now.set("site", s.ID)
	}
	if n.Ingest {
		m.bearSites(file)
	}
	if n.Worker {
		m.bearLinks(file, now)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.night) > nightOver {
		m.lost.Reset()
	}
	for label, values := range m.known {
		for value := range values {
			if !now[label][value] {
				m.remove(label, value)
			}
		}
	}
	for label, values := range now {
		for value := range values {
			m.known.set(label, value)
		}
	}
}

func (m *Metrics) bearSites(file *link.File) {
	for reason := range refusals {
		m.refused.WithLabelValues(refusal(reason))
	}
	for _, reason := range []string{refusedOtherwise, refusedElsewhere, refusedMalformed} {
		m.refused.WithLabelValues(reason)
	}
	for _, s := range file.Sites {
		for _, kind := range event.Kinds {
			for _, receipt := range event.Receipts {
				m.received.WithLabelValues(s.ID, string(kind), string(receipt))
			}
			m.received.WithLabelValues(s.ID, string(kind), receivedAside)
		}
		m.received.WithLabelValues(s.ID, "", receivedAside)
		for _, reason := range calltouch.Reasons {
			m.aside.WithLabelValues(s.ID, string(reason))
		}
		m.missed.WithLabelValues(s.ID, string(event.CallEnded))
		m.attribution.WithLabelValues(s.ID)
		for _, method := range api.Methods {
			if s.Token.Set() {
				m.unreadDays.WithLabelValues(s.ID)
				m.polls.WithLabelValues(s.ID, method, pollOK)
				m.polls.WithLabelValues(s.ID, method, pollFailed)
			}
		}
	}
}

func (m *Metrics) bearLinks(file *link.File, now series) {
	for _, l := range file.Links {
		now.set("link", l.ID)
		now.set("scope", event.LinkScope(l.ID))
		for _, outcome := range event.Outcomes {
			m.outcomes.WithLabelValues(l.ID, string(outcome))
		}
		for _, outcome := range attemptOutcomes {
			m.attempts.WithLabelValues(l.ID, string(outcome))
		}
		m.again.WithLabelValues(l.ID)
		m.abandoned.WithLabelValues(l.ID)
		m.delivery.WithLabelValues(l.ID)
		m.request.WithLabelValues(l.ID)
		m.parked.WithLabelValues(event.LinkScope(l.ID))
	}
	for _, d := range file.Destinations {
		now.set("scope", event.EndpointScope(d.Name))
		m.parked.WithLabelValues(event.EndpointScope(d.Name))
		m.pauses.WithLabelValues(event.EndpointScope(d.Name))
	}
}

// attemptOutcomes are what an attempt can end with.
var attemptOutcomes = []event.Outcome{event.Delivered, event.Waiting, event.Dead}

// bearLost brings to life the count of what each link has lost, of those too that have left the file:
// they are the likeliest to lose something.
func (m *Metrics) bearLost(ctx context.Context, q *queue.Queue) error {
	links, err := q.Links(ctx)
	for _, l := range links {
		m.again.WithLabelValues(l.ID)
		m.abandoned.WithLabelValues(l.ID)
	}
	return err
}

// remove deletes what there is with the value of a label. The caller holds mu.
func (m *Metrics) remove(label, value string) {
	with := prometheus.Labels{label: value}
	if label == "site" {
		delete(m.hooks, value)
	}
	for _, one := range m.labelled() {
		one.DeletePartialMatch(with)
	}
}

// labelled are the metrics of a link, a site or a scope that go with it. What a link has lost is told
// of after it has left the file, too.
func (m *Metrics) labelled() []interface {
	DeletePartialMatch(prometheus.Labels) int
} {
	return []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{
		m.received, m.aside, m.lastHook, m.missed, m.polls, m.unreadDays, m.attribution, m.outcomes, m.attempts, m.again, m.delivery, m.request,
		m.parked, m.pauses, m.unread, m.retries, m.letters, m.oldest, m.lost,
	}
}
