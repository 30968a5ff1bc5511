package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// State is the bucket of small JSON values, for what no stream knows. A key is words of letters,
// digits, "-", "_", "/" and "=", with "." between them. The zero State is of no use; see Queue.State.
type State struct{ q *Queue }

// State returns the bucket.
func (q *Queue) State() State { return State{q} }

// Get reads a value into v and returns its revision. ErrNotFound.
func (s State) Get(ctx context.Context, key string, v any) (uint64, error) {
	m, err := s.q.last(ctx, stateStream, statePrefix+key)
	if err == nil && removed(m.Header) {
		err = ErrNotFound
	}
	if err != nil {
		return 0, describe("state "+key, err)
	}
	if err := json.Unmarshal(m.Data, v); err != nil {
		return 0, fmt.Errorf("state %s: %w", key, err)
	}
	return m.Sequence, nil
}

// Put writes a value whatever is there and returns its revision.
func (s State) Put(ctx context.Context, key string, v any) (uint64, error) {
	return s.write(ctx, key, v, nil, 0)
}

// PutTTL writes a value that vanishes by itself after ttl, which is rounded up to whole seconds.
func (s State) PutTTL(ctx context.Context, key string, v any, ttl time.Duration) (uint64, error) {
	return s.write(ctx, key, v, nil, ttl)
}

// Create writes a value where there is none, else ErrConflict.
func (s State) Create(ctx context.Context, key string, v any) (uint64, error) {
	return s.create(ctx, key, v, 0)
}

// Update writes a value over the revision, else ErrConflict.
func (s State) Update(ctx context.Context, key string, v any, revision uint64) (uint64, error) {
	return s.write(ctx, key, v, &revision, 0)
}

// Delete removes a value; a missing one is no error.
func (s State) Delete(ctx context.Context, key string) error {
	kv, err := s.q.bucket(ctx)
	if err != nil {
		return err
	}
	return describe("state "+key, kv.Purge(ctx, key, jetstream.PurgeTTL(markerTTL)))
}

// create writes a value where there is none. A trace that a removed value left counts as none.
func (s State) create(ctx context.Context, key string, v any, ttl time.Duration) (uint64, error) {
	none := uint64(0)
	revision, err := s.write(ctx, key, v, &none, ttl)
	if !errors.Is(err, ErrConflict) {
		return revision, err
	}
	m, lastErr := s.q.last(ctx, stateStream, statePrefix+key)
	if lastErr != nil || !removed(m.Header) {
		return 0, err
	}
	return s.write(ctx, key, v, &m.Sequence, ttl)
}

// removed reports whether a message of the bucket says that its key holds nothing.
func removed(h nats.Header) bool {
	return h.Get("KV-Operation") != "" || h.Get(jetstream.MarkerReasonHeader) != ""
}

// write publishes a value, over the revision where one is given, for ttl where that is not 0.
func (s State) write(ctx context.Context, key string, v any, revision *uint64, ttl time.Duration) (uint64, error) {
	if !validKey(key) {
		return 0, fmt.Errorf("state: %q is no key", key)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("state %s: %w", key, err)
	}
	m := &nats.Msg{Subject: statePrefix + key, Data: data, Header: nats.Header{}}
	if revision != nil {
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(*revision, 10))
	}
	if ttl > 0 {
		m.Header.Set(jetstream.MsgTTLHeader, strconv.FormatInt(int64((ttl+time.Second-1)/time.Second), 10)+"s")
	}
	ack, err := s.q.publish(ctx, m)
	if c := code(err); c == codeWrongSequence || c == codeWrongSequenceFlying {
		return 0, fmt.Errorf("state %s: %w", key, ErrConflict)
	}
	if err != nil {
		return 0, describe("state "+key, err)
	}
	return ack.Sequence, nil
}

// Entry is a value of STATE.
type Entry struct {
	Key      string
	Value    json.RawMessage // nil when Deleted
	Revision uint64
	Deleted  bool
}

// List returns the values whose keys begin with prefix, which ends with ".", by key.
func (s State) List(ctx context.Context, prefix string) ([]Entry, error) {
	var out []Entry
	for m, err := range s.q.scan(ctx, stateStream, statePrefix+prefix+">", 1) {
		if err != nil {
			return nil, err
		}
		if !removed(m.Header) {
			out = append(out, Entry{Key: strings.TrimPrefix(m.Subject, statePrefix), Value: m.Data, Revision: m.Sequence})
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// Keys returns the keys that begin with prefix, which ends with ".", in order.
func (s State) Keys(ctx context.Context, prefix string) ([]string, error) {
	entries, err := s.List(ctx, prefix)
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	return keys, err
}

func validKey(key string) bool {
	for part := range strings.SplitSeq(key, ".") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/=") != "" {
			return false
		}
	}
	return true
}
