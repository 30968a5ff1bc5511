package admin_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Who names a link or a site that has left the file is not told that there is none: addresses of alerts and jobs hold them for long.
func TestWhatLeftTheFileIsKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	h.File = linktest.File{Site: "timezone: Europe/Moscow", Links: []linktest.Link{{ID: "other"}}}.Parse(t)
	if _, err := h.Remove(t.Context(), "dynamic", queue.Watching{}); err != nil {
		t.Fatal(err)
	}
	h.File.Sites = nil
	if err := h.Queue.Client().Purge(t.Context(), event.EventsStream, 2); err != nil { // as after keep.events
		t.Fatal(err)
	}
	known := func(says string, links, sites map[string]bool) {
		t.Helper()
		for id, want := range links {
			if got, err := h.Knows(t.Context(), id); got != want || err != nil {
				t.Errorf("%s: link %q: %v, %v", says, id, got, err)
			}
		}
		for id, want := range sites {
			if _, got, err := h.SiteOf(t.Context(), id); got != want || err != nil {
				t.Errorf("%s: site %q: %v, %v", says, id, got, err)
			}
		}
	}
	known("with a dead letter", map[string]bool{"dynamic": true, "other": true, "nobody": false, "*": false, "a b": false, "связка": false}, map[string]bool{"10001": true, "10002": false, "*": false})
	if _, err := h.Drop(t.Context(), admin.Selection{}, "test"); err != nil {
		t.Fatal(err)
	}
	known("without", map[string]bool{"dynamic": true}, map[string]bool{"10001": false})
}
