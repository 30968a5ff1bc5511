package event_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/event"
)

func TestParkKeyIsOneToOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		scope := event.EndpointScope(rapid.String().Draw(t, "name"))
		key := event.ParkKey(scope)
		if got := event.ScopeOf(key); got != scope {
			t.Fatalf("%q became %q and then %q", scope, key, got)
		}
		if strings.Count(key, ".") != 1 {
			t.Fatalf("%q is not one word behind the prefix", key)
		}
	})
}

func TestSubjectsAndScopesComeBack(t *testing.T) {
	if site, kind, ok := event.SiteAndKind(event.SubjectOf("10001", event.CallEnded)); !ok || site != "10001" || kind != event.CallEnded {
		t.Errorf("%s, %s, %v", site, kind, ok)
	}
	if _, _, ok := event.SiteAndKind(event.HistorySubjects.Of("10001.call-ended.1")); ok {
		t.Error("a subject of the history is read as one of the log")
	}
	if link, rest, ok := event.DueSubjects.LinkAndRest(event.DueSubjects.OfLink("a", "1.request.2")); !ok || link != "a" || rest != "1.request.2" {
		t.Errorf("%s, %s, %v", link, rest, ok)
	}
	if id, ok := event.LinkOf(event.LinkScope("a")); !ok || id != "a" {
		t.Errorf("%s, %v", id, ok)
	}
	if _, ok := event.EndpointOf(event.LinkScope("a")); ok {
		t.Error("a link's scope is read as a destination's")
	}
	if cause, subject := event.AlertOf(event.AlertKey("parked", "link/a")); cause != "parked" || subject != "link/a" {
		t.Errorf("%s, %s", cause, subject)
	}
}
