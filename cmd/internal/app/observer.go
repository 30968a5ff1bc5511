package app

import (
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
)

// observer is told what comes from Calltouch: it counts it in the metrics, and tells whoever else asks.
type observer struct {
	*Metrics
	node   *Node
	unread func(site string, days int) // the alarm of days that the API does not list
}

// Hook tells of one request to the webhook address, or of a hook that waited.
func (o observer) Hook(one intake.Observation) {
	o.Metrics.Hook(one)
	if o.node.Hook != nil {
		o.node.Hook(one)
	}
}

// Offered tells of one record that the poll or the journal offered.
func (o observer) Offered(key event.Key, origin event.Origin, receipt event.Receipt) {
	o.Metrics.Offered(key, origin, receipt)
	if o.node.Record != nil {
		o.node.Record(key, origin, receipt)
	}
}

// Unread tells of the days of a site that could not be read.
func (o observer) Unread(site string, days int) {
	o.Metrics.Unread(site, days)
	o.unread(site, days)
}

// Hook counts one request to the webhook address, or a hook that waited.
func (m *Metrics) Hook(o intake.Observation) {
	switch {
	case o.Elsewhere:
		m.refused.WithLabelValues(refusedElsewhere).Inc()
		return
	case o.Status != 200:
		m.refused.WithLabelValues(refusal(o.Status)).Inc()
		return
	case o.Aside != "":
		m.aside.WithLabelValues(o.Site, string(o.Aside)).Inc()
		m.received.WithLabelValues(o.Site, string(o.Kind), receivedAside).Inc()
	case o.Receipt != "":
		m.received.WithLabelValues(o.Site, string(o.Kind), string(o.Receipt)).Inc()
	}
	if o.Attribution {
		m.attribution.WithLabelValues(o.Site).Inc()
	}
	if !o.Settled {
		m.heard(o.Site, time.Now())
	}
}

// receivedAside is the receipt of what was set aside.
const receivedAside = "aside"

// refusals names the answers of the webhook address that are no receipt.
var refusals = map[int]string{
	404: "not_found", 405: "method", 413: "too_long", 429: "guessing", 503: "not_stored",
}

// malformed counts a request that net/http could not read: a raw blank in the address of a GET, a
// header that is too long.
func (m *Metrics) malformed() { m.refused.WithLabelValues(refusedMalformed).Inc() }

// Refusals that no status of an answer names.
const (
	refusedOtherwise = "other"
	refusedElsewhere = "other_path" // not even meant for hooks
	refusedMalformed = "malformed"  // no HTTP that can be read
)

func refusal(status int) string {
	if name, ok := refusals[status]; ok {
		return name
	}
	return refusedOtherwise
}

// Offered counts one record that the poll or the journal offered.
func (m *Metrics) Offered(key event.Key, _ event.Origin, receipt event.Receipt) {
	m.received.WithLabelValues(key.Site, string(key.Kind), string(receipt)).Inc()
}

// Aside counts a record that was set aside.
func (m *Metrics) Aside(site string, reason calltouch.Reason) {
	m.aside.WithLabelValues(site, string(reason)).Inc()
}

// Waiting says how many hooks wait for their records.
func (m *Metrics) Waiting(hooks int) { m.waiting.Set(float64(hooks)) }

// Results of a question to Calltouch's API.
const (
	pollOK     = "ok"
	pollFailed = "failed"
)

// Asked counts one question to Calltouch's API.
func (m *Metrics) Asked(site, method string, err error) {
	result := pollOK
	if err != nil {
		result = pollFailed
	}
	m.polls.WithLabelValues(site, method, result).Inc()
}

// Unread says how many days of a site could not be read for long.
func (m *Metrics) Unread(site string, days int) {
	m.unreadDays.WithLabelValues(site).Set(float64(days))
}

// Checked counts the ended calls that the journal alone brought.
func (m *Metrics) Checked(site string, found bool) {
	if found {
		m.missed.WithLabelValues(site, string(event.CallEnded)).Inc()
	}
}

// Attribution counts the records whose own model is not the one of the file.
func (m *Metrics) Attribution(site string) { m.attribution.WithLabelValues(site).Inc() }
