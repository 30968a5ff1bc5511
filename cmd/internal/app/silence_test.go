package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestSilenceIsWhatIsUnusual(t *testing.T) {
	// Calls each half hour from 9 to 21, for four days: the nights are usual.
	start := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	s := newSilence()
	for day := range 4 {
		for half := 18; half <= 42; half++ {
			s.heard("10001", start.AddDate(0, 0, day).Add(time.Duration(half)*30*time.Minute))
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
			if silent, unusual := s.quiet("10001", tt.now); unusual != tt.want {
				t.Errorf("silent for %s: unusual = %v, want %v", silent, unusual, tt.want)
			}
		})
	}
	if _, unusual := s.quiet("10002", last); unusual {
		t.Error("a site that was never heard has no usual gap")
	}
	fresh := newSilence()
	fresh.heard("10001", start)
	fresh.heard("10001", start.Add(time.Minute))
	if _, unusual := fresh.quiet("10001", start.Add(12*time.Hour)); unusual {
		t.Error("after one day nobody knows what is usual")
	}
}

// A hook that comes while the log is still being read must not hide what the log knows.
func TestSilenceRemembersTheLog(t *testing.T) {
	q := queuetest.New(t)
	now := time.Now()
	for i := range 4 {
		e := event.Event{
			Key:    event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(i)},
			Origin: event.Webhook, Received: now.Add(time.Duration(i-5) * 20 * time.Hour),
		}
		if _, err := q.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	s := newSilence()
	s.hook(calltouch.Observation{Site: "10001", Receipt: event.ReceiptStored})
	if err := s.remember(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if silent, unusual := s.quiet("10001", now.Add(12*time.Hour)); unusual || silent > 13*time.Hour {
		t.Errorf("silent for %s: unusual = %v", silent, unusual)
	}
	if _, unusual := s.quiet("10001", now.Add(72*time.Hour)); !unusual {
		t.Error("three days are usual, though the longest gap was 40 hours")
	}
}
