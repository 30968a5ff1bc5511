package admin_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
)

// An erased event is still known by its key, whether a link had taken it or not.
func TestErase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1)
	old := event.Event{Key: call(2), Origin: event.Backfill, Body: []byte("id=2&callerphone=79160000001"), Received: time.Now(), Time: time.Now()}
	h.store(old)
	stop := h.run("dynamic", always(queue.Decision{Outcome: event.Delivered}))
	h.wait("dynamic", event.Delivered, 1)
	stop()
	person := erase.Whom{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte("79160000001")) }}
	found, err := h.FindPerson(t.Context(), person)
	if err != nil || found.Events != 2 {
		t.Fatalf("found %+v, %v", found, err)
	}
	if gone, err := h.Erase(t.Context(), person); err != nil || gone != found {
		t.Fatalf("erased %+v, %v", gone, err)
	}
	for id, want := range map[int]event.Outcome{1: event.Erased, 2: ""} {
		if keys, err := h.Find(t.Context(), call(id).ID); err != nil || len(keys) != 1 {
			t.Errorf("call %d: %v, %v", id, keys, err)
		}
		timeline, err := h.Timeline(t.Context(), call(id))
		if err != nil || !timeline.Erased || timeline.Event != nil {
			t.Errorf("call %d: %+v, %v", id, timeline, err)
		}
		if got := h.outcome(call(id), "dynamic"); got != want {
			t.Errorf("call %d is %q, want %q", id, got, want)
		}
	}
	links, _, err := h.LinksWithOutcomes(t.Context())
	if err != nil || links[0].Outcomes.Erased != 1 || links[0].Outcomes.Untaken != 1 || links[0].Outcomes.Taken != 1 {
		t.Errorf("links: %+v, %v", links[0].Outcomes, err)
	}
}
