package hook

import (
	"errors"
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

// A store of which it is known that it keeps nothing is not asked, though it takes what it is given.
func TestAStoreThatKeepsNothingIsNotProbed(t *testing.T) {
	now := time.Now()
	known := errors.Join(ErrKeepsNothing, errors.New("its folder is gone"))
	b := storeBreaker{unwell: func() error { return known }}
	for range 5 {
		if now = now.Add(2 * probeEvery); b.allow(now) != 0 {
			t.Error("a hook is given to it")
		}
	}
	known = nil
	if b.allow(now) != storeTimeout {
		t.Error("a hook is refused when all is well again")
	}
}
