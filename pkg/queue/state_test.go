package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestState(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	state := queuetest.New(t).State()
	type value struct{ N int }
	var got value
	if _, err := state.Get(ctx, "a.b", &got); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("get of nothing: %v", err)
	}
	first, err := state.Create(ctx, "a.b", value{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.Create(ctx, "a.b", value{2}); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("created twice: %v", err)
	}
	second, err := state.Update(ctx, "a.b", value{3}, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.Update(ctx, "a.b", value{4}, first); !errors.Is(err, queue.ErrConflict) {
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
	if _, err := state.Get(ctx, "a.b", &got); !errors.Is(err, queue.ErrNotFound) {
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

func TestStateVanishesByItself(t *testing.T) {
	t.Parallel()
	state := queuetest.New(t).State()
	if _, err := state.PutTTL(t.Context(), "live.w1", 1, time.Second); err != nil {
		t.Fatal(err)
	}
	seen := make(chan queue.Entry, 10)
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
	q, other := queuetest.Open(t, s, queue.Options{}), queuetest.Open(t, s, queue.Options{})
	lease, err := q.Lease(t.Context(), "poll", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Lease(t.Context(), "poll", time.Second); !errors.Is(err, queue.ErrHeld) {
		t.Errorf("held twice: %v", err)
	}
	time.Sleep(2500 * time.Millisecond) // longer than the TTL: it is renewed
	if _, err := other.Lease(t.Context(), "poll", time.Second); !errors.Is(err, queue.ErrHeld) || lease.Context().Err() != nil {
		t.Errorf("not renewed: %v", err)
	}
	lease.Release()
	if lease.Context().Err() == nil {
		t.Error("released and still on")
	}
	second, err := other.Lease(t.Context(), "poll", time.Second)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := other.State().Delete(t.Context(), "lease.poll"); err != nil { // as if it had run out
		t.Fatal(err)
	}
	if _, err := q.Lease(t.Context(), "poll", time.Second); err != nil {
		t.Fatalf("after it ran out: %v", err)
	}
	select {
	case <-second.Context().Done():
	case <-time.After(5 * time.Second):
		t.Error("lost and still on")
	}
	second.Release()
	if _, err := other.Lease(t.Context(), "poll", time.Second); !errors.Is(err, queue.ErrHeld) {
		t.Errorf("the release of a lost lease took it from its holder: %v", err)
	}
}

func TestPark(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	watch := q.WatchParks(t.Context())
	want := queue.Park{Scope: "endpoint/clinic.Website", Since: time.Now().UTC(), Reason: "unauthorized", Status: 401,
		Text: "no", Next: time.Now().Add(5 * time.Second).UTC(), Step: 5 * time.Second}
	p, err := q.PutPark(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	want.Revision = p.Revision
	if c := <-watch; c.Gone || cmp.Diff(want, c.Park) != "" {
		t.Errorf("watched %s", cmp.Diff(want, c.Park))
	}
	if _, err := q.PutPark(t.Context(), queue.Park{Scope: want.Scope}); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("parked twice: %v", err)
	}
	p.Next = p.Next.Add(time.Minute)
	moved, err := q.PutPark(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	<-watch
	if _, err := q.PutPark(t.Context(), p); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("two workers got the probe: %v", err)
	}
	parks, err := q.Parks(t.Context())
	if err != nil || len(parks) != 1 || cmp.Diff(moved, parks[0]) != "" {
		t.Errorf("parks %+v, %v", parks, err)
	}
	if err := q.Unpark(t.Context(), want.Scope); err != nil {
		t.Fatal(err)
	}
	if c := <-watch; !c.Gone || c.Scope != want.Scope {
		t.Errorf("watched %+v", c)
	}
}

func TestParkKeyIsOneToOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		scope := "endpoint/" + rapid.String().Draw(t, "name")
		key := queue.ParkKey(scope)
		if got := queue.ScopeOf(key); got != scope {
			t.Fatalf("%q became %q and then %q", scope, key, got)
		}
		if strings.Count(key, ".") != 1 {
			t.Fatalf("%q is not one word behind the prefix", key)
		}
	})
}

func TestWatchSurvivesTheServersRestart(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan queue.Entry, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range q.State().Watch(ctx, "park.") {
			seen <- e
		}
	}()
	put := func(n int) {
		t.Helper()
		eventually(t, "put", func() bool { _, err := q.State().Put(t.Context(), "park.x", n); return err == nil })
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
