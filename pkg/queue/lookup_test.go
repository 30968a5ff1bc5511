package queue_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/queue"
)

// Rule 10: looked up are the first 2,000 messages after a break, and all that are marked as
// redelivered.
func TestWhatIsLookedUp(t *testing.T) {
	t.Parallel()
	c := &queue.Checks{}
	for i := range 2000 {
		if !c.Due(0) {
			t.Fatalf("message %d after the start is not looked up", i+1)
		}
	}
	if c.Due(0) {
		t.Error("message 2,001 is looked up")
	}
	if !c.Due(1) {
		t.Error("the first after a reconnect is not looked up")
	}
	for range 1999 {
		c.Due(1)
	}
	if c.Due(1) {
		t.Error("message 2,001 after the reconnect is looked up")
	}
	c.Resume()
	if !c.Due(1) {
		t.Error("the first after a pause is not looked up")
	}
	tests := []struct {
		name      string
		first     bool
		delivered uint64
		want      bool
	}{
		{"among the first", true, 1, true},
		{"later", false, 1, false},
		{"later and redelivered", false, 2, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := queue.Suspect(tt.first, tt.delivered); got != tt.want {
				t.Errorf("looked up: %v", got)
			}
		})
	}
}
