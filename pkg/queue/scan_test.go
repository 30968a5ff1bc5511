package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestEventsScan(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for i := range 10 {
		publish(t, q, call(i))
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
	if got := collect(queue.ScanOptions{Subjects: []string{queue.EventSubject("10001", event.Request)}}); got != nil {
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
			publish(t, q, call(10))
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
	e := call(1)
	publish(t, q, e)
	if err := q.Note(t.Context(), e.Key, queue.Record{Note: "repeated"}); err != nil {
		t.Fatal(err)
	}
	h := &handler{}
	h.consume(t, openLink(t, q, calls("a"))) // a note about no link settles nothing
	eventually(t, "delivered", func() bool { return h.outcomes()[event.Delivered] == 1 })
	records := history(t, q, e)
	if len(records) != 2 || records[0].Note != "repeated" || records[0].Time.IsZero() || records[1].Sequence == 0 {
		t.Errorf("records %+v", records)
	}
}
