package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

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
	if _, err := q.State().Put(t.Context(), "park.by-hand", "on"); err != nil {
		t.Fatal(err)
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
