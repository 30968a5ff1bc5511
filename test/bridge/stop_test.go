package bridge_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// TestStopWhileAProbeHangs: Mindbox hangs for longer than the service manager waits, and the probe of a
// parked link is at it. The process stops in time all the same, and the event is delivered by the next.
func TestStopWhileAProbeHangs(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a probe hangs")
	var requests, well atomic.Int64
	over := make(chan struct{})
	box := newMindbox(t, mindboxtest.Config{Script: func(mindboxtest.Request) *mindboxtest.Reply {
		switch n := requests.Add(1); {
		case well.Load() > 0:
			return nil
		case n > 1: // the probe
			<-over
		}
		return &mindboxtest.Reply{Status: http.StatusNotFound}
	}})
	t.Cleanup(func() { close(over) })
	s := newStack(t)
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", box.url+"\n    timeout: 60s"))
	up := s.up()
	if code := s.hook("148071"); code != http.StatusOK {
		t.Fatalf("hook answered %d", code)
	}
	eventually(t, 20*time.Second, "the probe is at Mindbox", func() bool { return requests.Load() > 1 })
	up.terminate(t, 28*time.Second) // 25, and a little for a machine with other work
	well.Store(1)
	s.up()
	eventually(t, 40*time.Second, "the call is executed", func() bool { return box.times("148071") == 1 })
	if ids := box.transactions("148071"); len(ids) != 1 {
		t.Errorf("transaction ids %v", ids)
	}
}
