package app

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
)

// Metrics is what Prometheus can ask of a process. Labels hold sites, kinds, links and words
// from closed lists only: nothing that a stranger sent.
type Metrics struct {
	registry *prometheus.Registry

	received  *prometheus.CounterVec   // site, kind, receipt
	aside     *prometheus.CounterVec   // site, reason
	refused   *prometheus.CounterVec   // reason: not received at all
	lastHook  *prometheus.GaugeVec     // site
	missed    *prometheus.CounterVec   // site, kind, origin: what no hook had brought
	polls     *prometheus.CounterVec   // site, method, result
	outcomes  *prometheus.CounterVec   // link, outcome
	attempts  *prometheus.CounterVec   // link, result
	again     *prometheus.CounterVec   // link
	delivery  *prometheus.HistogramVec // link
	request   *prometheus.HistogramVec // link
	parked    *prometheus.GaugeVec     // scope
	pauses    *prometheus.CounterVec   // scope
	unread    *prometheus.GaugeVec     // link
	retries   *prometheus.GaugeVec     // link
	letters   *prometheus.GaugeVec     // link
	oldest    *prometheus.GaugeVec     // link
	abandoned *prometheus.CounterVec   // link
	lost      *prometheus.GaugeVec     // link
	bytes     *prometheus.GaugeVec     // stream
	limit     *prometheus.GaugeVec     // stream
	horizon   prometheus.Gauge
	configBad prometheus.Gauge
	ready     prometheus.Gauge

	certificate prometheus.Gauge

	attribution *prometheus.CounterVec // site
	waiting     prometheus.Gauge       // hooks of form requests that wait for their records
	unreadDays  *prometheus.GaugeVec   // site

	mu    sync.Mutex
	hooks map[string]time.Time // the newest of each site
	night time.Time            // when this process looked for lost retries last
	known series               // of which there are values, see follow
}

// NewMetrics makes the set, with Go's and the process's own beside it.
func NewMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "touchbox_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "touchbox_" + name, Help: help}, labels)
	}
	seconds := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "touchbox_" + name, Help: help, Buckets: buckets}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(), hooks: map[string]time.Time{}, known: series{},
		received:    counter("received_total", "Events received, by site, kind and receipt (stored, repeated, ...).", "site", "kind", "receipt"),
		aside:       counter("aside_total", "Hooks and records set aside, by site and reason.", "site", "reason"),
		refused:     counter("refused_total", "Requests to the webhook address that were not received, by reason.", "reason"),
		lastHook:    gauge("last_hook_timestamp_seconds", "When the last hook of a site arrived, Unix time; 0 while none ever did.", "site"),
		missed:      counter("missed_by_hooks_total", "Events that the poll or the journal brought and no hook had, by site and kind.", "site", "kind"),
		attribution: counter("attribution_mismatch_total", "Events whose attribution model is not the one of the file, by site.", "site"),
		polls:       counter("polls_total", "Requests to Calltouch's API, by site, method and result.", "site", "method", "result"),
		waiting:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "touchbox_hooks_waiting", Help: "Hooks of form requests that wait for their polled record."}),
		unreadDays:  gauge("unread_days", "Days that Calltouch's API has not listed for an hour although it was asked, by site.", "site"),
		outcomes:    counter("outcomes_total", "Outcomes of events, by link.", "link", "outcome"),
		attempts:    counter("attempts_total", "Attempts to deliver, by link and result.", "link", "result"),
		again:       counter("requests_again_total", "Requests that failed at once and were made again within the same attempt, by link.", "link"),
		delivery:    seconds("delivery_seconds", "From the receipt of an event to its acceptance by Mindbox.", []float64{.01, .03, .1, .3, 1, 3, 10, 60, 600, 3600, 86400}, "link"),
		request:     seconds("mindbox_request_seconds", "Duration of an attempt's last request.", prometheus.DefBuckets, "link"),
		parked:      gauge("parked", "1 while a link (link/ID) or a destination (endpoint/NAME) is parked.", "scope"),
		pauses:      counter("pauses_total", "Pauses of a destination (endpoint/NAME) that said 429 to everything.", "scope"),
		unread:      gauge("unread", "Events that a link has not read yet.", "link"),
		retries:     gauge("retries_waiting", "Events that wait for their next attempt, by link.", "link"),
		letters:     gauge("deadletters", "Dead letters, by link.", "link"),
		oldest:      gauge("oldest_undelivered_seconds", "Age of the oldest event that a link has still to deliver; 0 with none.", "link"),
		abandoned:   counter("abandoned_total", "Unread events that a link has lost because the disk was full.", "link"),
		lost:        gauge("retries_lost", "Events that wait for a link and that nothing holds any more, as the last nightly look found.", "link"),
		bytes:       gauge("stream_bytes", "What a stream holds.", "stream"),
		limit:       gauge("stream_limit_bytes", "What a stream may hold; absent for one without a bound.", "stream"),
		horizon:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "touchbox_horizon_timestamp_seconds", Help: "Arrival of the newest event that was deleted for its age, Unix time; 0 while none was."}),
		configBad:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "touchbox_config_broken", Help: "1 while the configuration file on disk is refused and the previous one is in force."}),
	}
	m.certificate = prometheus.NewGauge(prometheus.GaugeOpts{Name: "touchbox_certificate_expires_timestamp_seconds", Help: "Until when the certificate of INGEST_TLS_CERT holds, Unix time; 0 without one."})
	m.ready = prometheus.NewGauge(prometheus.GaugeOpts{Name: "touchbox_ready", Help: "1 while events can be stored, as /readyz says; 0 while they cannot."})
	build := gauge("build_info", "The running version.", "version", "go")
	build.WithLabelValues(Version, runtime.Version()).Set(1)
	m.registry.MustRegister(m.received, m.aside, m.refused, m.lastHook, m.missed, m.polls, m.waiting, m.unreadDays, m.attribution, m.outcomes, m.attempts, m.again,
		m.delivery, m.request, m.parked, m.pauses, m.unread, m.retries, m.letters, m.oldest,
		m.abandoned, m.lost, m.bytes, m.limit, m.horizon, m.configBad, m.ready, m.certificate, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in Prometheus' text form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// heard notes when a hook of a site came, the zero time that none ever did. It is told by the hooks
// of this process and by the log, which knows those of the others and of the time before; the newest
// counts.
func (m *Metrics) heard(site string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if newest, known := m.hooks[site]; known && !at.After(newest) {
		return
	}
	m.hooks[site] = at
	seconds := 0.0
	if !at.IsZero() {
		seconds = float64(at.UnixMilli()) / 1000
	}
	m.lastHook.WithLabelValues(site).Set(seconds)
}

// statsEvery is how often the gauges of the links are read from the server.
const statsEvery = 5 * time.Second

// watchLinks keeps the gauges of all links until ctx ends.
func (m *Metrics) watchLinks(ctx context.Context, q *queue.Queue, file func() *link.File) error {
	ticker := time.NewTicker(statsEvery)
	defer ticker.Stop()
	var born *link.File
	for {
		now := file()
		if born != now && m.bearLost(ctx, q) == nil {
			born = now
		}
		for _, l := range now.Links {
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
	m.again.WithLabelValues(d.Link).Add(float64(x.Again))
	if x.Duration > 0 {
		m.request.WithLabelValues(d.Link).Observe(x.Duration.Seconds())
		m.attempts.WithLabelValues(d.Link, string(x.Outcome)).Inc()
	}
	if x.Outcome == event.Delivered {
		m.delivery.WithLabelValues(d.Link).Observe(time.Since(d.Event.Received).Seconds())
	}
}

// park notes that a link or an endpoint is parked.
func (m *Metrics) park(scope string) { m.parked.WithLabelValues(scope).Set(1) }

// pause notes that an endpoint has asked for a pause.
func (m *Metrics) pause(scope string) { m.pauses.WithLabelValues(scope).Inc() }

// unpark notes that a link or an endpoint goes on.
func (m *Metrics) unpark(scope string) { m.parked.WithLabelValues(scope).Set(0) }

// certificateHolds notes until when the certificate of the webhook address holds.
func (m *Metrics) certificateHolds(until time.Time) { m.certificate.Set(float64(until.Unix())) }

// streams notes how full the streams are.
func (m *Metrics) streams(l keep.Look) {
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

// lose notes how many retries of a link are lost, as the look of this night found.
func (m *Metrics) lose(link string, events int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.night = time.Now()
	m.lost.WithLabelValues(link).Set(float64(events))
}

// nightOver is when what a nightly look found counts no more: another process makes the looks now.
const nightOver = 26 * time.Hour
