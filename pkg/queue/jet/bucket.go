package jet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bucket is a bucket of JetStream's for small JSON values, for what no stream knows. A key is words of
// letters, digits, "-", "_", "/" and "=", with "." between them.
//
// Nothing relies on a key being empty, nor on the server's deleting a value in time: a server that
// rebuilds the bucket from its blocks after a crash brings back what lay under a trace that has
// expired. So a value that was removed leaves a message that says so and stays, and a value with a
// time to live is judged by that time on reading, by the server's clock.
//
// The library's KeyValue watches and removes. It cannot read and write here: its Get keeps back the time to
// live, its Put and Update cannot give one.
type Bucket struct {
	c *Client
	o BucketOptions

	mu sync.Mutex
	kv jetstream.KeyValue
}

// BucketOptions say which bucket it is, and how its values live.
type BucketOptions struct {
	Name      string
	MarkerTTL time.Duration // how long the trace of a value with a time to live stays, for watchers that were away
	// Life is how long the value of a key counts that was written without a time to live; nil or 0: until it
	// is removed.
	Life func(key string) time.Duration
}

// Bucket returns a bucket, which need not exist yet.
func (c *Client) Bucket(o BucketOptions) *Bucket { return &Bucket{c: c, o: o} }

// stream is the stream under the bucket, and subject that of a key.
func (b *Bucket) stream() string            { return "KV_" + b.o.Name }
func (b *Bucket) subject(key string) string { return b.prefix() + key }
func (b *Bucket) prefix() string            { return "$KV." + b.o.Name + "." }

// keyValue is the library's handle on the bucket. ErrNotFound: it does not exist.
func (b *Bucket) keyValue(ctx context.Context) (jetstream.KeyValue, error) {
	b.mu.Lock()
	kv := b.kv
	b.mu.Unlock()
	if kv != nil {
		return kv, nil
	}
	kv, err := b.c.js.KeyValue(ctx, b.o.Name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, Describe("bucket "+b.o.Name, err)
	}
	b.mu.Lock()
	b.kv = kv
	b.mu.Unlock()
	return kv, nil
}

// Get reads a value into v and returns its revision, also with ErrUnreadable. ErrNotFound.
func (b *Bucket) Get(ctx context.Context, key string, v any) (uint64, error) {
	m, err := b.c.Last(ctx, b.stream(), b.subject(key))
	if err == nil {
		err = b.check(ctx, m)
	}
	if err != nil {
		return 0, Describe("state "+key, err)
	}
	if err := json.Unmarshal(m.Data, v); err != nil {
		return m.Sequence, fmt.Errorf("state %s %w: %w", key, ErrUnreadable, err)
	}
	return m.Sequence, nil
}

// Put writes a value whatever is there and returns its revision.
func (b *Bucket) Put(ctx context.Context, key string, v any) (uint64, error) {
	return b.write(ctx, key, v, terms{})
}

// PutTTL writes a value that counts for ttl, which is rounded up to whole seconds.
func (b *Bucket) PutTTL(ctx context.Context, key string, v any, ttl time.Duration) (uint64, error) {
	return b.write(ctx, key, v, terms{life: ttl})
}

// Create writes a value where there is none, else ErrConflict.
func (b *Bucket) Create(ctx context.Context, key string, v any) (uint64, error) {
	return b.create(ctx, key, v, 0)
}

// Update writes a value over the revision, else ErrConflict.
func (b *Bucket) Update(ctx context.Context, key string, v any, revision uint64) (uint64, error) {
	return b.write(ctx, key, v, terms{over: &revision})
}

// UpdateTTL writes a value that counts for ttl over the revision, else ErrConflict.
func (b *Bucket) UpdateTTL(ctx context.Context, key string, v any, revision uint64, ttl time.Duration) (uint64, error) {
	return b.write(ctx, key, v, terms{over: &revision, life: ttl})
}

// Delete removes a value; a missing one is no error. Some bytes stay that say so.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	return b.remove(ctx, key)
}

// Expire ends a value of PutTTL before its time; a missing one is no error. The trace of it goes, too:
// it stays for longer than the value could count.
func (b *Bucket) Expire(ctx context.Context, key string) error {
	kv, err := b.keyValue(ctx)
	if err != nil {
		return err
	}
	return Describe("state "+key, kv.Purge(ctx, key, jetstream.PurgeTTL(b.o.MarkerTTL)))
}

// remove writes that a key holds nothing. That has no time to live, and lies over all that the key
// has held.
func (b *Bucket) remove(ctx context.Context, key string, o ...jetstream.KVDeleteOpt) error {
	kv, err := b.keyValue(ctx)
	if err != nil {
		return err
	}
	err = kv.Delete(ctx, key, o...)
	if GuardFailed(err) || InFlight(err) {
		return fmt.Errorf("state %s: %w", key, ErrConflict)
	}
	return Describe("state "+key, err)
}

// DeleteAt is Delete, where the key has this revision still, else ErrConflict.
func (b *Bucket) DeleteAt(ctx context.Context, key string, revision uint64) error {
	return b.remove(ctx, key, jetstream.LastRevision(revision))
}

// create writes a value where there is none. What was removed, or has outlived its time, counts as
// none.
func (b *Bucket) create(ctx context.Context, key string, v any, ttl time.Duration) (uint64, error) {
	none := uint64(0)
	revision, err := b.write(ctx, key, v, terms{over: &none, life: ttl})
	if !errors.Is(err, ErrConflict) {
		return revision, err
	}
	m, lastErr := b.c.Last(ctx, b.stream(), b.subject(key))
	if lastErr != nil || !errors.Is(b.check(ctx, m), ErrNotFound) {
		return 0, err
	}
	return b.write(ctx, key, v, terms{over: &m.Sequence, life: ttl})
}

// terms are those of a write.
type terms struct {
	over *uint64       // the revision that it replaces, 0 where there is to be none; nil: whatever is there
	life time.Duration // 0: until it is removed
}

// write publishes a value.
func (b *Bucket) write(ctx context.Context, key string, v any, t terms) (uint64, error) {
	if !ValidKey(key) {
		return 0, fmt.Errorf("state: %q is no key", key)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("state %s: %w", key, err)
	}
	m := &nats.Msg{Subject: b.subject(key), Data: data, Header: nats.Header{}}
	if t.over != nil {
		Guard(m.Header, *t.over)
	}
	if t.life > 0 {
		m.Header.Set(jetstream.MsgTTLHeader, wholeSeconds(t.life).String())
	}
	sequence, err := b.c.Publish(ctx, m)
	if GuardFailed(err) || InFlight(err) {
		return 0, fmt.Errorf("state %s: %w", key, ErrConflict)
	}
	if err != nil {
		return 0, Describe("state "+key, err)
	}
	return sequence, nil
}

// Entry is a value of a bucket.
type Entry struct {
	Key      string
	Value    json.RawMessage // nil when Deleted
	Revision uint64
	Stored   time.Time // by the server's clock
	Deleted  bool
}

// List returns the values whose keys begin with prefix, which ends with ".", by key.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Entry, error) {
	var out []Entry
	for m, err := range b.c.Scan(ctx, b.stream(), b.subject(prefix+Anything), 1) {
		if err == nil {
			err = b.check(ctx, m)
		}
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, Entry{Key: strings.TrimPrefix(m.Subject, b.prefix()), Value: m.Data, Revision: m.Sequence, Stored: m.Time})
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// ValidKey reports whether a key can be one of a bucket.
func ValidKey(key string) bool {
	for part := range strings.SplitSeq(key, ".") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/=") != "" {
			return false
		}
	}
	return true
}

// removed reports whether a message of the bucket says that its key holds nothing.
func removed(h nats.Header) bool {
	return h.Get("KV-Operation") != "" || h.Get(jetstream.MarkerReasonHeader) != ""
}

// check returns ErrNotFound where a message of the bucket says that its key holds nothing, or has
// outlived the time that it was given.
func (b *Bucket) check(ctx context.Context, m *Message) error {
	if removed(m.Header) {
		return ErrNotFound
	}
	ttl := b.lifetime(m)
	if ttl == 0 {
		return nil
	}
	now, err := b.Now(ctx)
	if err != nil {
		return err
	}
	if !Alive(m.Time, now, ttl) {
		return ErrNotFound
	}
	return nil
}

// lifetime is how long a value counts that nobody renews; 0: until it is removed.
func (b *Bucket) lifetime(m *Message) time.Duration {
	if b.o.Life != nil {
		if life := b.o.Life(strings.TrimPrefix(m.Subject, b.prefix())); life > 0 {
			return life
		}
	}
	ttl, err := time.ParseDuration(m.Header.Get(jetstream.MsgTTLHeader))
	if err != nil {
		return 0
	}
	return ttl
}

// Alive reports whether a value that was written at a moment counts still. One from the future is of
// a clock that was set back since; nobody has renewed it by the new one.
func Alive(written, now time.Time, ttl time.Duration) bool {
	return now.Sub(written).Abs() < ttl
}

// Now is the time by the clock of the server, which stamps what is stored: those of the hosts may
// differ from it, and from each other.
func (b *Bucket) Now(ctx context.Context) (time.Time, error) {
	s, err := b.c.Stream(ctx, b.stream())
	if err != nil {
		return time.Time{}, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return time.Time{}, Describe("ask the server for its time", err)
	}
	return info.TimeStamp, nil
}

// wholeSeconds rounds up: the server knows no others.
func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
