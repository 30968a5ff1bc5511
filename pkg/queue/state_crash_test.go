package queue_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// A server that finds no index after a power cut rebuilds the bucket from its blocks, and what lay under
// an expired trace is there again.
func TestWhatIsGoneFromStateStaysGoneAfterARebuild(t *testing.T) {
	t.Parallel()
	server := queuetest.Spawn(t)
	q := server.Open(queue.Options{})
	ctx, state := t.Context(), q.State()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(queue.ShortMarkers(ctx, q))
	_, err := state.Put(ctx, "horizon", time.Now()) // lives, so that the block with all the rest is kept
	must(err)
	queuetest.OpenLink(t, q, queuetest.Calls("old"))
	_, err = q.RemoveLink(ctx, "old", queue.Watching{})
	must(err)
	park, err := q.PutPark(ctx, queue.Park{Scope: "endpoint/clinic", Since: time.Now(), Reason: "unauthorized"})
	must(err)
	_, err = q.PutPark(ctx, park)
	must(err)
	must(q.Unpark(ctx, "endpoint/clinic"))
	released, err := q.Lease(ctx, "calltouch.command", time.Minute)
	must(err)
	released.Release()
	for _, key := range []string{"version.abc", "erasing.1", "alert.disk.1", "calltouch.backfill.1"} {
		for n := range 2 {
			_, err = state.Put(ctx, key, n)
			must(err)
		}
		must(state.Delete(ctx, key))
	}
	// These vanish, and so do their traces.
	for _, key := range []string{"lease.dead", "worker.dead", "worker.left"} {
		for range 2 {
			_, err = state.PutTTL(ctx, key, map[string]any{"links": []string{"old"}}, time.Second)
			must(err)
		}
	}
	must(queue.PurgeState(ctx, q, "worker.left"))
	for _, key := range []string{"lease.dead", "worker.dead", "worker.left"} {
		queuetest.Eventually(t, "no trace of "+key, func() bool { return !queue.Traced(ctx, q, key) })
	}
	server.Kill()
	must(os.RemoveAll(filepath.Join(server.Dir, "jetstream", "$G", "streams", "KV_touchbox-state", "msgs", "index.db")))
	server.Start()

	q = server.Open(queue.Options{})
	state = q.State()
	if links, err := q.Links(ctx); err != nil || len(links) != 0 {
		t.Errorf("links %+v, %v", links, err)
	}
	if parks, err := q.Parks(ctx); err != nil || len(parks) != 0 {
		t.Errorf("parks %+v, %v", parks, err)
	}
	if workers, err := state.List(ctx, "worker."); err != nil || len(workers) != 0 {
		t.Errorf("workers %+v, %v", workers, err)
	}
	for _, key := range []string{"version.abc", "erasing.1", "alert.disk.1", "calltouch.backfill.1", "lease.dead"} {
		var v any
		if _, err := state.Get(ctx, key, &v); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("%s is %v, %v", key, v, err)
		}
	}
	for _, name := range []string{"calltouch.command", "dead", "reset-old"} {
		if held, err := q.Leased(ctx, name); err != nil || held {
			t.Errorf("lease %s is held: %v, %v", name, held, err)
		}
		lease, err := q.Lease(ctx, name, time.Minute)
		if err != nil {
			t.Errorf("lease %s: %v", name, err)
			continue
		}
		lease.Release()
	}
	if _, err := q.OpenLink(ctx, queuetest.Calls("old")); err != nil {
		t.Errorf("the removed link does not open anew: %v", err)
	}
}

// A worker that watches renews what is parked, so that its age says whether anybody does.
func TestAParkIsRenewedWhileItIsWatched(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	put, err := q.PutPark(t.Context(), queue.Park{Scope: "link/calls", Since: time.Now().UTC(), Reason: "refused", Next: time.Now().UTC()})
	if err != nil {
		t.Fatal(err)
	}
	watch := queue.WatchParks(t.Context(), q, 50*time.Millisecond)
	if c := <-watch; c.Revision != put.Revision {
		t.Fatalf("watched %+v", c)
	}
	c := <-watch
	if c.Gone || c.Revision <= put.Revision || c.Reason != put.Reason || !c.Next.Equal(put.Next) {
		t.Errorf("renewed as %+v", c)
	}
	if err := q.Unpark(t.Context(), put.Scope); err != nil {
		t.Fatal(err)
	}
	for c := range watch {
		if c.Gone {
			break
		}
	}
	if parks, err := q.Parks(t.Context()); err != nil || len(parks) != 0 {
		t.Errorf("renewed after its end: %+v, %v", parks, err)
	}
}
