package queue

import (
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

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

// clear forgets everything.
func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.old, m.young = nil, map[event.Key]event.Fingerprint{}
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

// forgetSubject carries the word that remembered keys may be erased by now. No stream covers it.
const forgetSubject = "touchbox.forget"

// listen obeys that word. Who was away when it came forgets when he is back, see dialOptions.
func (q *Queue) listen() error {
	_, err := q.nc.Subscribe(forgetSubject, func(*nats.Msg) { q.known.clear() })
	if err != nil {
		return fmt.Errorf("listen for erasures: %w", err)
	}
	return nil
}

// forget makes every process ask the log anew about each key: one that is remembered as stored
// would be counted as repeated and not as erased. Nothing else hangs on it, so nobody waits for it.
func (q *Queue) forget() {
	q.known.clear()
	_ = q.nc.Publish(forgetSubject, nil)
}
