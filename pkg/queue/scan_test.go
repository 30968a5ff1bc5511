package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestEventsScan(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for i := range 10 {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	collect := func(o queue.ScanOptions) (out []string) {
		t.Helper()
		for e, err := range q.Events(t.Context(), o) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, e.Key.ID)
		}
		return out
	}
	if got := collect(queue.ScanOptions{}); len(got) != 10 || got[0] != "0" || got[9] != "9" {
		t.Errorf("all: %v", got)
	}
	if got := collect(queue.ScanOptions{Last: 3}); cmp.Diff([]string{"7", "8", "9"}, got) != "" {
		t.Errorf("last: %v", got)
	}
	if got := collect(queue.ScanOptions{From: 9}); cmp.Diff([]string{"8", "9"}, got) != "" {
		t.Errorf("from: %v", got)
	}
	if got := collect(queue.ScanOptions{Subjects: []string{event.SubjectOf("10001", event.Request)}}); got != nil {
		t.Errorf("requests: %v", got)
	}
	if got := collect(queue.ScanOptions{Since: time.Now().Add(time.Hour)}); got != nil {
		t.Errorf("since: %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for e, err := range q.Events(ctx, queue.ScanOptions{From: 10, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			queuetest.Publish(t, q, queuetest.Call(10))
		} else if e.Key.ID != "10" {
			t.Errorf("followed %v", e.Key)
		} else {
			cancel()
		}
	}
	if n != 2 {
		t.Errorf("followed %d", n)
	}
}

func TestNote(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	e := queuetest.Call(1)
	queuetest.Publish(t, q, e)
	if err := q.Note(t.Context(), e.Key, queue.Record{Note: "repeated"}); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a"))) // a note about no link settles nothing
	queuetest.Eventually(t, "delivered", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	records := queuetest.History(t, q, e)
	if len(records) != 2 || records[0].Note != "repeated" || records[0].Time.IsZero() || records[1].Sequence == 0 {
		t.Errorf("records %+v", records)
	}
}

// Reading all of HISTORY or of DEADLETTERS asks for no pages: with each the server counts what is left
// over all subjects, which at a million takes minutes.
func TestWholeStreamsAreReadInOneFlow(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	const n = 600
	var group errgroup.Group
	group.SetLimit(64)
	for i := range n {
		group.Go(func() error { return q.Note(t.Context(), queuetest.Call(i).Key, queue.Record{Link: "a", Note: "x"}) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	asked, err := queue.CountAsked(t.Context(), q, "$JS.API.DIRECT.GET.>")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, err := range q.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		read++
	}
	queuetest.DeadLetters(t, q, queue.Filter{Link: "a"})
	if got := asked(); read != n || got != 0 {
		t.Errorf("%d records were read with %d requests for pages", read, got)
	}
}

// What is removed while it is read ends no reading.
func TestFlowOverWhatIsRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	for i := range 3 {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision { return queue.Decision{Outcome: event.Dead, Reason: "refused"} }}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "all are dead", func() bool { return h.Outcomes()[event.Dead] == 3 })
	stop()
	all := queuetest.DeadLetters(t, q, queue.Filter{})
	for d, err := range q.DeadLetters(t.Context(), queue.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range all {
			if err := q.DropDeadLetter(t.Context(), other); err != nil {
				t.Fatal(err)
			}
		}
		_ = d
	}
}

// The oldest event of a link is known between two searches for it, too: most looks bring one body.
func TestTheOldestThatWaitsIsRemembered(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Attempts == 0 && d.Event.Key == queuetest.Call(1).Key { // goes behind the others
			return queue.Decision{Outcome: event.Waiting, Attempts: 1, Reason: "timeout"}
		}
		return waitsFor(time.Hour)
	}}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "it waits", func() bool { return h.Outcomes()[event.Waiting] == 1 })
	queuetest.Publish(t, q, queuetest.Call(2), queuetest.Call(3))
	queuetest.Eventually(t, "all wait", func() bool { return h.Outcomes()[event.Waiting] == 4 })
	stop()
	first, err := q.GetEvent(t.Context(), queuetest.Call(1).Key)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if st := queuetest.Stats(t, q, "a"); st.Waiting != 3 || !st.Oldest.Equal(first.Stored) {
			t.Errorf("%d wait, the oldest since %s, want %s", st.Waiting, st.Oldest, first.Stored)
		}
	}
	for _, r := range queuetest.Retries(t, q, queue.Filter{}) {
		if err := queue.LoseRetry(t.Context(), q, r.Sequence); err != nil {
			t.Fatal(err)
		}
	}
	if st := queuetest.Stats(t, q, "a"); !st.Oldest.IsZero() {
		t.Errorf("nothing waits, the oldest since %s", st.Oldest)
	}
}

// BenchmarkRecords reads a long history: some 100,000 records a second, where pages brought 6,000.
func BenchmarkRecords(b *testing.B) {
	const n = 300_000
	q := queuetest.Open(b, queuetest.Start(b), queue.Options{})
	var group errgroup.Group
	group.SetLimit(512)
	for i := range n {
		group.Go(func() error { return q.Note(b.Context(), queuetest.Call(i).Key, queue.Record{Link: "a", Note: "x"}) })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	read := 0
	for range b.N {
		for _, err := range q.Records(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			read++
		}
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "records/s")
}
