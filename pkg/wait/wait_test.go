package wait_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/touchbox/touchbox/pkg/wait"
)

func TestSleepEndsInTimeOrWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		if err := wait.Sleep(ctx, 20*time.Minute); err != nil || time.Since(began) != 20*time.Minute {
			t.Errorf("slept %s: %v", time.Since(began), err)
		}
		if err := wait.Sleep(ctx, -time.Second); err != nil || time.Since(began) != 20*time.Minute {
			t.Errorf("slept for less than nothing: %s: %v", time.Since(began), err)
		}
		if err := wait.Until(ctx, began.Add(2*time.Hour)); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Hour {
			t.Errorf("slept on after its context: %s: %v", time.Since(began), err)
		}
		if err := wait.Sleep(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an ended context is not told of: %v", err)
		}
	})
}

func TestThrottle(t *testing.T) {
	var throttle wait.Throttle
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	due := func(name string, after time.Duration) bool { return throttle.DueAt(name, now.Add(after), time.Minute) }
	for _, step := range []struct {
		name  string
		after time.Duration
		want  bool
	}{
		{"a", 0, true}, {"a", 0, false}, {"b", 0, true}, {"a", 59 * time.Second, false}, {"a", time.Minute, true},
		{"a", 90 * time.Second, false},
		{"a", -time.Hour, true}, // the clock was set back: silence must not last an hour
	} {
		if got := due(step.name, step.after); got != step.want {
			t.Errorf("%s after %s: %v, want %v", step.name, step.after, got, step.want)
		}
	}
}

func TestThrottleIsBounded(t *testing.T) {
	var throttle wait.Throttle
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	passed := 0
	for i := range 3 * wait.MaxNames {
		if throttle.DueAt(fmt.Sprint(i), now, time.Hour) {
			passed++
		}
	}
	if passed != wait.MaxNames {
		t.Errorf("%d names passed, want %d", passed, wait.MaxNames)
	}
	if !throttle.DueAt("late", now.Add(time.Hour), time.Hour) {
		t.Error("a new name does not pass when the others' time is over")
	}
	if throttle.DueAt("late", now.Add(time.Hour+time.Second), time.Hour) {
		t.Error("the new name was not remembered")
	}
}
