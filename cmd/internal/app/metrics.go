package app

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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
	delivery  *prometheus.HistogramVec // link
	request   *prometheus.HistogramVec // link
	parked    *prometheus.GaugeVec     // scope
	unread    *prometheus.GaugeVec     // link
	retries   *prometheus.GaugeVec     // link
	letters   *prometheus.GaugeVec     // link
	oldest    *prometheus.GaugeVec     // link
	abandoned *prometheus.CounterVec   // link
	bytes     *prometheus.GaugeVec     // stream
	limit     *prometheus.GaugeVec     // stream
	horizon   prometheus.Gauge
	configBad prometheus.Gauge

	attribution *prometheus.CounterVec // site
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
		registry:    prometheus.NewRegistry(),
		received:    counter("received_total", "Events received, by site, kind and receipt (stored, repeated, ...).", "site", "kind", "receipt"),
		aside:       counter("aside_total", "Hooks and records set aside, by site and reason.", "site", "reason"),
		refused:     counter("refused_total", "Requests to the webhook address that were not received, by reason.", "reason"),
		lastHook:    gauge("last_hook_timestamp_seconds", "When the last hook of a site arrived, Unix time.", "site"),
		missed:      counter("missed_by_hooks_total", "Events that the poll or the journal brought and no hook had, by site and kind.", "site", "kind"),
		attribution: counter("attribution_mismatch_total", "Events whose attribution model is not the one of the file, by site.", "site"),
		polls:       counter("polls_total", "Requests to Calltouch's API, by site, method and result.", "site", "method", "result"),
		outcomes:    counter("outcomes_total", "Outcomes of events, by link.", "link", "outcome"),
		attempts:    counter("attempts_total", "Attempts to deliver, by link and result.", "link", "result"),
		delivery:    seconds("delivery_seconds", "From the receipt of an event to its acceptance by Mindbox.", []float64{.01, .03, .1, .3, 1, 3, 10, 60, 600, 3600, 86400}, "link"),
		request:     seconds("mindbox_request_seconds", "Duration of one attempt.", prometheus.DefBuckets, "link"),
		parked:      gauge("parked", "1 while a link (link/ID) or a destination (endpoint/NAME) is parked.", "scope"),
		unread:      gauge("unread", "Events that a link has not read yet.", "link"),
		retries:     gauge("retries_waiting", "Events that wait for their next attempt, by link.", "link"),
		letters:     gauge("deadletters", "Dead letters, by link.", "link"),
		oldest:      gauge("oldest_undelivered_seconds", "Age of the oldest event that a link has still to deliver; 0 with none.", "link"),
		abandoned:   counter("abandoned_total", "Unread events that a link has lost because the disk was full.", "link"),
		bytes:       gauge("stream_bytes", "What a stream holds.", "stream"),
		limit:       gauge("stream_limit_bytes", "What a stream may hold; absent for one without a bound.", "stream"),
		horizon:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "touchbox_horizon_timestamp_seconds", Help: "Arrival of the newest event that was deleted for its age, Unix time; 0 while none was."}),
		configBad:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "touchbox_config_broken", Help: "1 while the configuration file on disk is refused and the previous one is in force."}),
	}
	build := gauge("build_info", "The running version.", "version", "go")
	build.WithLabelValues(Version, runtime.Version()).Set(1)
	m.registry.MustRegister(m.received, m.aside, m.refused, m.lastHook, m.missed, m.polls, m.attribution, m.outcomes, m.attempts,
		m.delivery, m.request, m.parked, m.unread, m.retries, m.letters, m.oldest,
		m.abandoned, m.bytes, m.limit, m.horizon, m.configBad, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in Prometheus' text form.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// now is when a gauge of time is set to.
func now() float64 { return float64(time.Now().UnixMilli()) / 1000 }
