package queue

import (
	"sync"

	"github.com/touchbox/touchbox/pkg/event"
)

// knownKeys is how many stored keys are remembered: 20,000 are a day's calls of a middling
// company, in some 5 MB.
const knownKeys = 20_000

// memory remembers the keys that were stored lately, with their fingerprints, so that a hook sent
// twice and a poll that reads the same record again cost the server nothing. It is bounded: two
// generations, of which the older is dropped when the younger is full.
type memory struct {
	mu    sync.Mutex
	limit int
	young map[event.Key]event.Fingerprint
	old   map[event.Key]event.Fingerprint
}

func newMemory(limit int) *memory {
	return &memory{limit: max(1, limit/2), young: map[event.Key]event.Fingerprint{}}
}

func (m *memory) add(k event.Key, f event.Fingerprint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= m.limit {
		m.old, m.young = m.young, make(map[event.Key]event.Fingerprint, m.limit)
	}
	m.young[k] = f
}

func (m *memory) get(k event.Key) (event.Fingerprint, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.young[k]
	if !ok {
		f, ok = m.old[k]
	}
	return f, ok
}
