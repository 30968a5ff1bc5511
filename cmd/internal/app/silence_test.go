package app

import (
	"testing"
	"time"
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
