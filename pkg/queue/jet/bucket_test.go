package jet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

func TestBucket(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	state := bucket(t, open(t, queuetest.Start(t)))
	type value struct{ N int }
	var got value
	if _, err := state.Get(ctx, "a.b", &got); !errors.Is(err, jet.ErrNotFound) {
		t.Errorf("get of nothing: %v", err)
	}
	first, err := state.Create(ctx, "a.b", value{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.Create(ctx, "a.b", value{2}); !errors.Is(err, jet.ErrConflict) {
		t.Errorf("created twice: %v", err)
	}
	second, err := state.Update(ctx, "a.b", value{3}, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.Update(ctx, "a.b", value{4}, first); !errors.Is(err, jet.ErrConflict) {
		t.Errorf("updated over an old revision: %v", err)
	}
	if revision, err := state.Get(ctx, "a.b", &got); err != nil || revision != second || got.N != 3 {
		t.Errorf("got %v at %d, %v", got, revision, err)
	}
	if _, err := state.Put(ctx, "a.c", value{5}); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Put(ctx, "b", value{6}); err != nil {
		t.Fatal(err)
	}
	list, err := state.List(ctx, "a.")
	if err != nil || len(list) != 2 || list[0].Key != "a.b" || string(list[1].Value) != `{"N":5}` {
		t.Errorf("list %+v, %v", list, err)
	}
	for range 2 {
		if err := state.Delete(ctx, "a.b"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := state.Get(ctx, "a.b", &got); !errors.Is(err, jet.ErrNotFound) {
		t.Errorf("get of a deleted value: %v", err)
	}
	if list, err := state.List(ctx, "a."); err != nil || len(list) != 1 {
		t.Errorf("list after the delete %+v, %v", list, err)
	}
	if _, err := state.Create(ctx, "a.b", value{7}); err != nil {
		t.Errorf("create after delete: %v", err)
	}
	for _, key := range []string{"", "a..b", "a b", "a.*", ">"} {
		if _, err := state.Put(ctx, key, value{}); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

func TestValueVanishesByItself(t *testing.T) {
	t.Parallel()
	state := bucket(t, open(t, queuetest.Start(t)))
	if _, err := state.PutTTL(t.Context(), "live.w1", 1, time.Second); err != nil {
		t.Fatal(err)
	}
	seen := make(chan jet.Entry, 10)
	go func() {
		for e := range state.Watch(t.Context(), "live.") {
			seen <- e
		}
	}()
	if e := <-seen; e.Key != "live.w1" || e.Deleted || string(e.Value) != "1" {
		t.Errorf("watched %+v", e)
	}
	select {
	case e := <-seen:
		if e.Key != "live.w1" || !e.Deleted {
			t.Errorf("watched %+v", e)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it stays")
	}
	if _, err := state.Create(t.Context(), "live.w1", 2); err != nil {
		t.Errorf("create after it vanished: %v", err)
	}
}

func TestLease(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	mine, other := bucket(t, open(t, s)), bucket(t, open(t, s))
	lease, err := mine.Lease(t.Context(), "lease.poll", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Lease(t.Context(), "lease.poll", time.Second); !errors.Is(err, jet.ErrHeld) {
		t.Errorf("held twice: %v", err)
	}
	time.Sleep(2500 * time.Millisecond) // longer than the TTL: it is renewed
	if _, err := other.Lease(t.Context(), "lease.poll", time.Second); !errors.Is(err, jet.ErrHeld) || lease.Context().Err() != nil {
		t.Errorf("not renewed: %v", err)
	}
	lease.Release()
	if lease.Context().Err() == nil {
		t.Error("released and still on")
	}
	second, err := other.Lease(t.Context(), "lease.poll", time.Second)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := other.Delete(t.Context(), "lease.poll"); err != nil { // as if it had run out
		t.Fatal(err)
	}
	if _, err := mine.Lease(t.Context(), "lease.poll", time.Second); err != nil {
		t.Fatalf("after it ran out: %v", err)
	}
	select {
	case <-second.Context().Done():
	case <-time.After(5 * time.Second):
		t.Error("lost and still on")
	}
	second.Release()
	if _, err := other.Lease(t.Context(), "lease.poll", time.Second); !errors.Is(err, jet.ErrHeld) {
		t.Errorf("the release of a lost lease took it from its holder: %v", err)
	}
}

func TestWatchSurvivesTheServersRestart(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	state := bucket(t, open(t, s))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan jet.Entry, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range state.Watch(ctx, "park.") {
			seen <- e
		}
	}()
	put := func(n int) {
		t.Helper()
		waittest.Eventually(t, "put", func() bool { _, err := state.Put(t.Context(), "park.x", n); return err == nil })
	}
	put(1)
	<-seen
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	put(2)
	for deadline := time.After(15 * time.Second); ; {
		select {
		case e := <-seen:
			if string(e.Value) == "2" {
				cancel()
				<-done
				return
			}
		case <-deadline:
			t.Fatal("the watch is dead")
		}
	}
}

// A lease that could not be renewed for its time is lost: whoever works under it must stop, for another
// one may have it by now.
func TestLeaseIsLostWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	server := queuetest.Spawn(t)
	values := bucket(t, dial(t, jet.Options{Socket: embedded.Socket(server.Dir)}))
	lease, err := values.Lease(t.Context(), "lease.poll", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
	waittest.Eventually(t, "it is lost", func() bool { return lease.Context().Err() != nil })
}

// Another proposal in flight for the same key is somebody else who is faster.
func TestValueInFlightIsAConflict(t *testing.T) {
	t.Parallel()
	address, asked := queuetest.Scripted(t, `{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"}}`)
	values := dial(t, jet.Options{Servers: address}).Bucket(jet.BucketOptions{Name: "values"})
	if _, err := values.Update(t.Context(), "a", 1, 7); !errors.Is(err, jet.ErrConflict) || asked.Load() != 1 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}

// A lease or a presence counts by the server's clock, also where that was set.
func TestAlive(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, tt := range []struct {
		name string
		ago  time.Duration
		want bool
	}{
		{"just written", 0, true},
		{"nearly over", 29 * time.Second, true},
		{"over", 30 * time.Second, false},
		{"long over", time.Hour, false},
		{"a clock that was a little ahead", -5 * time.Second, true},
		{"a clock that was set back by hours", -8 * time.Hour, false},
	} {
		if got := jet.Alive(now.Add(-tt.ago), now, 30*time.Second); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
