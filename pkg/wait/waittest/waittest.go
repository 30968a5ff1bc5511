// Package waittest helps tests that wait: until something holds (Eventually, Within), until a log says
// it (Buffer), and not at all where the tests are to be quick (Slow). It knows nothing of the product.
package waittest

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds Eventually: far more than anything takes on a machine with other work.
const patience = 90 * time.Second

// Slow skips what is slow by nature where `go test -short` is run: what kills processes, plays a month
// or waits for times that are promised in seconds. Each promise keeps a test that is not slow.
func Slow(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip("slow by nature: " + why)
	}
}

// Eventually waits until ok holds, and ends the test when it does not in a minute and a half.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	Within(t, patience, what, ok)
}

// Within is Eventually with a bound of its own.
func Within(t testing.TB, bound time.Duration, what string, ok func() bool) {
	t.Helper()
	pause := time.Millisecond
	for deadline := time.Now().Add(bound); !ok(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", bound, what)
		}
		pause = min(2*pause, 20*time.Millisecond) // to look costs time that what is waited for needs too
	}
}

// Buffer is a log that many may write and read at the same time. The zero Buffer is empty.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to it.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is all that was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Has reports whether a text stands in it.
func (b *Buffer) Has(text string) bool { return strings.Contains(b.String(), text) }

// Lines counts the lines, each one JSON object, in which every name has its value.
func (b *Buffer) Lines(want map[string]any) int {
	n := 0
	for line := range strings.Lines(b.String()) {
		var got map[string]any
		if json.Unmarshal([]byte(line), &got) == nil && holds(got, want) {
			n++
		}
	}
	return n
}

func holds(got, want map[string]any) bool {
	for name, value := range want {
		if got[name] != value {
			return false
		}
	}
	return true
}
