package hook

import (
	"testing"
	"time"
)

// One hook alone probes a store that is unwell, however long it takes.
func TestOneProbeAtATime(t *testing.T) {
	now := time.Now()
	b := storeBreaker{failed: true}
	first := b.allow(now)
	if first == 0 {
		t.Fatal("nobody probes")
	}
	if b.allow(now.Add(2*probeEvery)) != 0 {
		t.Error("a second one probes beside the first")
	}
	b.done(first, first, false)
	if b.allow(now.Add(2*probeEvery)) == 0 {
		t.Error("nobody probes after it")
	}
}
