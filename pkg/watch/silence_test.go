package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestSilenceIsWhatIsUnusual(t *testing.T) {
	// Calls each half hour from 9 to 21, for four days: the nights are usual.
	start := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	s := NewSilence(nil, nil, nil)
	s.complete = true
	for day := range 4 {
		for half := 18; half <= 42; half++ {
			s.hear("10001", start.AddDate(0, 0, day).Add(time.Duration(half)*30*time.Minute))
		}
	}
	last := start.AddDate(0, 0, 3).Add(21 * time.Hour)
	tests := []struct {
		name string
		now  time.Time
		want bool
	}{
		{"a night", last.Add(12 * time.Hour), false},
		{"a night and the day after it", last.Add(19 * time.Hour), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if silent, got := s.of("10001", tt.now); (got == unusualSilence) != tt.want {
				t.Errorf("silent for %s: unusual = %v, want %v", silent, !tt.want, tt.want)
			}
		})
	}
	if _, got := s.of("10002", last); got != usualSilence {
		t.Error("a site that was never heard has no usual gap")
	}
	fresh := NewSilence(nil, nil, nil)
	fresh.complete = true
	fresh.hear("10001", start)
	fresh.hear("10001", start.Add(time.Minute))
	if _, got := fresh.of("10001", start.Add(12*time.Hour)); got != usualSilence {
		t.Error("after one day nobody knows what is usual")
	}
}

// logged is a log of hooks of one site, some of them received hours ago.
func logged(t *testing.T, hoursAgo ...int) *queue.Queue {
	t.Helper()
	q := queuetest.New(t)
	for _, h := range hoursAgo {
		publishHook(t, q, time.Now().Add(-time.Duration(h)*time.Hour))
	}
	return q
}

func publishHook(t *testing.T, q *queue.Queue, at time.Time) {
	t.Helper()
	e := event.Event{
		Key:    event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(at.UnixNano())},
		Origin: event.Webhook, Received: at, Time: at, Body: []byte("id=1"),
	}
	if _, err := q.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// clinic is a file with the site of these logs.
func clinic() func() *link.File {
	file := &link.File{Sites: []*link.Site{{Site: calltouch.Site{ID: "10001"}, Name: "clinic"}}}
	return func() *link.File { return file }
}

func TestSilenceReadsTheLog(t *testing.T) {
	q := logged(t, 100, 80, 60, 40, 20)
	var newest time.Time
	s := NewSilence(q, clinic(), func(_ string, at time.Time) { newest = at })
	if _, got := s.of("10001", time.Now().Add(72*time.Hour)); got != unknownSilence {
		t.Error("something is known though nothing was read")
	}
	s.catchUp(t.Context())
	if silent, got := s.of("10001", time.Now()); got != usualSilence || silent.Round(time.Hour) != 20*time.Hour {
		t.Errorf("silent for %s: %v", silent, got)
	}
	if _, got := s.of("10001", time.Now().Add(72*time.Hour)); got != unusualSilence {
		t.Error("four days are usual, though the longest gap was 20 hours")
	}
	if ago := time.Since(newest).Round(time.Hour); ago != 20*time.Hour {
		t.Errorf("the newest hook is said to be %s old", ago)
	}
	publishHook(t, q, time.Now())
	s.catchUp(t.Context())
	if silent, _ := s.of("10001", time.Now()); silent > time.Minute {
		t.Errorf("silent for %s, though a hook has just come to another ingest", silent)
	}
}

// A hook that came while the clock was ahead does not keep its site from being called silent until the clock is there again.
func TestSilenceAfterTheClockWasSetBack(t *testing.T) {
	q := logged(t, 100, 80, 60, 40, -500)
	s := NewSilence(q, clinic(), func(string, time.Time) {})
	s.catchUp(t.Context())
	if silent, got := s.of("10001", time.Now()); silent < 0 || got != usualSilence {
		t.Errorf("silent for %s: %v", silent, got)
	}
	if _, got := s.of("10001", time.Now().Add(72*time.Hour)); got != unusualSilence {
		t.Error("three days are usual, though the longest gap was 40 hours")
	}
}

// Of two ingests one gets all the hooks. The other one must not call the site silent.
func TestTwoIngestsSayTheSameOfSilence(t *testing.T) {
	q := logged(t, 100, 80, 60, 40, 39)
	b := newBell(t)
	file := clinic()()
	busy, _ := b.process(q, file)
	idle, _ := b.process(q, file)
	quiet := map[*Alerts]*Silence{}
	for _, a := range []*Alerts{busy, idle} {
		quiet[a] = NewSilence(q, a.file, func(string, time.Time) {})
	}
	look := func() {
		for _, a := range []*Alerts{idle, busy, idle} {
			quiet[a].catchUp(t.Context())
			a.check(t.Context(), quiet[a])
		}
	}
	look()
	b.want(busy, "silence 10001")
	publishHook(t, q, time.Now())
	look()
	b.want(idle, "silence 10001 over")
	look()
	b.want(busy)
}

// A site that has been silent for longer than what is usual is learnt from is found after a restart.
func TestSilenceOfWeeksIsKnownAfterARestart(t *testing.T) {
	q := logged(t, 24*14+60, 24*14+40, 24*14+20, 24*14)
	said := map[string]time.Time{}
	s := NewSilence(q, clinic(), func(site string, at time.Time) { said[site] = at })
	s.next = 100 // behind all of them, as if they had been stored before the last days
	s.catchUp(t.Context())
	if silent, got := s.of("10001", time.Now()); got != unusualSilence || silent < 13*24*time.Hour {
		t.Errorf("silent for %s: %v", silent, got)
	}
	if ago := time.Since(said["10001"]).Round(time.Hour); ago != 14*24*time.Hour {
		t.Errorf("the newest hook is said to be %s old", ago)
	}
}
