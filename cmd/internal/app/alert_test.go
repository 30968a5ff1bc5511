package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// receiver is where ALERT_URL points.
func receiver(t *testing.T, refuse *atomic.Int32) (string, <-chan Alert) {
	got := make(chan Alert, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse.Add(-1) >= 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var a Alert
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
			t.Errorf("not JSON: %v", err)
		}
		got <- a
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func next(t *testing.T, got <-chan Alert) Alert {
	t.Helper()
	select {
	case a := <-got:
		return a
	case <-time.After(20 * time.Second):
		t.Fatal("no alert came")
		return Alert{}
	}
}

func TestAlertIsSaidOncePerCause(t *testing.T) {
	q := queuetest.New(t)
	var refuse atomic.Int32
	refuse.Store(1) // the first try fails: the alert must come all the same
	url, got := receiver(t, &refuse)
	ctx := t.Context()
	first, second := newAlerts(url, q, zerolog.Nop()), newAlerts(url, q, zerolog.Nop())
	go func() { _ = first.run(ctx) }()
	go func() { _ = second.run(ctx) }()

	first.park(ctx, "link/calls", true)
	if a := next(t, got); a.Cause != CauseParked || a.Subject != "link/calls" || a.Over || a.Text == "" {
		t.Errorf("got %+v", a)
	}
	first.park(ctx, "link/calls", true)
	second.park(ctx, "link/calls", true) // another worker, or the same one after a restart
	second.park(ctx, "link/other", true) // sent by the same way: nothing else may come before it
	if a := next(t, got); a.Subject != "link/other" {
		t.Errorf("said again: %+v", a)
	}
	second.park(ctx, "link/calls", false)
	if a := next(t, got); a.Subject != "link/calls" || !a.Over {
		t.Errorf("want the end of the cause, got %+v", a)
	}
	first.park(ctx, "link/calls", false)
	first.park(ctx, "link/calls", true) // a new cause is said anew
	if a := next(t, got); a.Subject != "link/calls" || a.Over {
		t.Errorf("want the new cause, got %+v", a)
	}
}

func TestAlertsWithoutAddressDoNothing(t *testing.T) {
	a := newAlerts("", nil, zerolog.Nop())
	a.park(t.Context(), "link/calls", true) // must not touch the queue that is not there
	if len(a.send) != 0 {
		t.Error("an alert waits for nobody")
	}
}
