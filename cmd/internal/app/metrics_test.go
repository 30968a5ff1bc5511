package app

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// measured is a node with metrics and a file of some links and one site.
func measured(links ...string) (*Node, *Metrics) {
	n := &Node{Ingest: true, Worker: true}
	n.current.Store(fileOf("10001", links...))
	return n, NewMetrics()
}

func fileOf(site string, links ...string) *link.File {
	file := &link.File{
		Sites: []*link.Site{{Site: calltouch.Site{ID: site}, Name: "clinic"}}, Destinations: []*link.Destination{{Name: "mindbox"}},
	}
	for _, id := range links {
		file.Links = append(file.Links, &link.Link{ID: id})
	}
	return file
}

// samples are all values, each on a line as /metrics writes it.
func samples(t *testing.T, m *Metrics) string {
	t.Helper()
	var text strings.Builder
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, one := range f.GetMetric() {
			text.WriteString(f.GetName())
			for _, l := range one.GetLabel() {
				text.WriteString(" " + l.GetName() + "=" + l.GetValue())
			}
			text.WriteString("\n")
		}
	}
	return text.String()
}

// An increase is seen only of a counter that was there before, and so are the alerts on it.
func TestCountersBeginAtZero(t *testing.T) {
	n, m := measured("calls")
	m.follow(n)
	text := samples(t, m)
	for _, want := range []string{
		"touchbox_outcomes_total link=calls outcome=dead", "touchbox_abandoned_total link=calls",
		"touchbox_attempts_total link=calls result=waiting", "touchbox_delivery_seconds link=calls",
		"touchbox_parked scope=endpoint/mindbox", "touchbox_parked scope=link/calls",
		"touchbox_pauses_total scope=endpoint/mindbox",
		"touchbox_refused_total reason=not_stored", "touchbox_refused_total reason=not_found",
		"touchbox_missed_by_hooks_total kind=call-ended site=10001", "touchbox_aside_total reason=no_id site=10001",
		"touchbox_received_total kind=call-ended receipt=stored site=10001", "touchbox_received_total kind=request receipt=too_old site=10001",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s before anything happened", want)
		}
	}
	before := strings.Count(text, "\n")
	for status := range refusals {
		m.Hook(intake.Observation{Status: status})
	}
	for _, kind := range event.Kinds {
		for _, receipt := range event.Receipts {
			m.Hook(intake.Observation{Site: "10001", Kind: kind, Receipt: receipt, Attribution: true, Status: 200})
		}
	}
	for _, reason := range calltouch.Reasons {
		m.Hook(intake.Observation{Site: "10001", Aside: reason, Status: 200})
	}
	for _, outcome := range event.Outcomes {
		m.settled(&queue.Delivery{Link: "calls"}, queue.Decision{Outcome: outcome})
	}
	m.park("endpoint/mindbox")
	m.abandon("calls", 3)
	if after := strings.Count(samples(t, m), "\n"); after != before+1 { // touchbox_last_hook_timestamp_seconds alone
		t.Errorf("%d values before, %d after: some were born with their first value:\n%s", before, after, samples(t, m))
	}
}

func TestARoleShowsItsOwnMetrics(t *testing.T) {
	n, m := measured("calls")
	n.Worker = false
	m.follow(n)
	if text := samples(t, m); strings.Contains(text, "link=") || strings.Contains(text, "scope=") {
		t.Errorf("ingest shows links:\n%s", text)
	}
}

func TestWhatLeftTheFileLeavesTheMetrics(t *testing.T) {
	n, m := measured("calls", "old")
	m.follow(n)
	m.heard("10001", time.Now())
	m.setLink("old", queue.LinkStats{Waiting: 1})
	m.park("link/old")
	n.current.Store(fileOf("10002", "calls"))
	m.follow(n)
	m.settled(&queue.Delivery{Link: "old"}, queue.Decision{Outcome: event.Delivered}) // it was in hand
	m.follow(n)
	for line := range strings.Lines(samples(t, m)) {
		if strings.Contains(line, "10001") || (strings.Contains(line, "=old") || strings.Contains(line, "/old")) && !strings.Contains(line, "abandoned") {
			t.Errorf("still there: %s", line)
		}
	}
	n.current.Store(fileOf("10001", "calls", "old"))
	m.follow(n)
	if text := samples(t, m); !strings.Contains(text, "outcome=dead") || !strings.Contains(text, "touchbox_outcomes_total link=old") {
		t.Errorf("the link is back, and its metrics are not:\n%s", text)
	}
}

// A link that has left the file is the likeliest to lose events, and it must ring.
func TestLossesOfALinkThatIsGoneBeginAtZero(t *testing.T) {
	q := queuetest.New(t)
	if _, err := q.Register(t.Context(), queue.LinkSpec{ID: "gone", Subjects: []string{event.SubjectOf("10001", event.CallEnded)}}); err != nil {
		t.Fatal(err)
	}
	_, m := measured()
	if err := m.bearLost(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(samples(t, m), "touchbox_abandoned_total link=gone") {
		t.Error("not there")
	}
}

func TestTheNewestHookCounts(t *testing.T) {
	_, m := measured()
	value := func() float64 { return testutil.ToFloat64(m.lastHook.WithLabelValues("10001")) }
	m.heard("10001", time.Time{})
	if got := value(); got != 0 {
		t.Errorf("%v though none ever came", got)
	}
	m.heard("10001", time.Unix(2000, 0))
	m.heard("10001", time.Unix(1000, 0)) // the log lies behind
	m.heard("10001", time.Time{})
	if got := value(); got != 2000 {
		t.Errorf("%v, want 2000", got)
	}
}

func TestCertificatesEndIsMeasured(t *testing.T) {
	_, m := measured()
	m.certificateHolds(time.Unix(2000, 0))
	if got := testutil.ToFloat64(m.certificate); got != 2000 {
		t.Errorf("%v, want 2000", got)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	n, m := measured("calls")
	m.follow(n)
	m.heard("10001", time.Now())
	m.setLink("calls", queue.LinkStats{})
	m.streams(keep.Look{Streams: []queue.StreamSize{{Stream: "events", Limit: 1}}})
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
