package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// bell is an ALERT_URL.
type bell struct {
	t    *testing.T
	rung chan Alert
}

func ring(t *testing.T) (*bell, *alerts) {
	t.Helper()
	b := &bell{t: t, rung: make(chan Alert, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var one Alert
		if err := json.NewDecoder(r.Body).Decode(&one); err != nil {
			t.Error(err)
		}
		b.rung <- one
	}))
	t.Cleanup(server.Close)
	a := newAlerts(server.URL, queuetest.New(t), zerolog.Nop())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = a.run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return b, a
}

// want waits for an alert for each word: "disk events" is raised, "disk events over" is over. A mark
// sent after them shows that no more came.
func (b *bell) want(a *alerts, words ...string) {
	b.t.Helper()
	a.send <- Alert{Cause: "mark"}
	got := []string{}
	for {
		select {
		case one := <-b.rung:
			if one.Cause == "mark" {
				if diff := cmp.Diff(append([]string{}, words...), got); diff != "" {
					b.t.Errorf("alerts (-want +got):\n%s", diff)
				}
				return
			}
			word := string(one.Cause) + " " + one.Subject
			if one.Over {
				word += " over"
			}
			got = append(got, word)
			if !strings.HasPrefix(one.Text, "Touchbox: ") || !strings.HasSuffix(one.Text, ".") || strings.Contains(one.Text, "%!") {
				b.t.Errorf("no sentence: %q", one.Text)
			}
		case <-time.After(10 * time.Second):
			b.t.Fatal("no alert came")
		}
	}
}

func TestDiskAlarm(t *testing.T) {
	b, a := ring(t)
	look := func(percent ...int64) {
		l := queue.Look{}
		for i, stream := range []string{"events", "history", "retries"} {
			size := queue.StreamSize{Stream: stream, Bytes: percent[i], Limit: 100}
			if stream == "retries" {
				size.Limit = 0
			}
			l.Streams = append(l.Streams, size)
		}
		a.streams(t.Context(), l)
	}
	look(79, 10, 1000)
	b.want(a)
	look(81, 10, 1000)
	look(99, 90, 1000)
	b.want(a, "disk events", "disk history")
	a.set(t.Context(), CauseAbandoned, "calls", true, abandonedText("calls", 3))
	a.set(t.Context(), CauseAbandoned, "calls", true, abandonedText("calls", 4))
	b.want(a, "abandoned calls")
	look(78, 78, 1000) // between the two marks nothing changes
	b.want(a)
	look(70, 70, 1000)
	look(70, 70, 1000)
	b.want(a, "disk events over", "abandoned calls over", "disk history over")
}

func TestAsideAlarm(t *testing.T) {
	b, a := ring(t)
	site := &link.Site{ID: "10001", Name: "clinic"}
	event := func(from, to int) {
		for i := from; i < to; i++ {
			publishCall(t, a.queue, i)
		}
	}
	aside := func(n int) {
		for range n {
			if err := a.queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Received: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	aside(5)
	event(0, 14)
	a.asides(t.Context(), site)
	b.want(a) // 19 say nothing
	event(14, 15)
	a.asides(t.Context(), site)
	a.asides(t.Context(), site)
	b.want(a, "aside 10001")
	event(15, 95)
	a.asides(t.Context(), site)
	b.want(a, "aside 10001 over") // 5 of 100 are not more than 5 %
	aside(1)
	a.asides(t.Context(), &link.Site{ID: "10002", Name: "another"})
	b.want(a)
}

func publishCall(t *testing.T, q *queue.Queue, id int) {
	t.Helper()
	key, err := event.NewKey("10001", event.CallEnded, fmt.Sprint(id))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	if _, err := q.Publish(t.Context(), event.Event{Key: key, Origin: event.Webhook, Body: []byte("id=1"), Received: now, Time: now}); err != nil {
		t.Fatal(err)
	}
}
