package event_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
)

// full is a label that says everything, and header how it has been written since the first version: a
// store of any version is read by these.
func full() (event.Label, map[string][]string) {
	at := time.Date(2026, 11, 1, 10, 0, 5, 123456789, time.UTC)
	label := event.Label{Link: "calls", Sequence: 7, Stored: at, Trail: event.Trail{
		Attempts: 3, First: at.Add(-time.Minute), Reason: "server_error", Status: 500, Answer: "sorry",
		Pin:      &event.Pin{Endpoint: "clinic.Website", Operation: "CallTouch", Revision: "r1"},
		Revision: "r2", As: "old-calls", Replayed: true, Version: "abc",
	}}
	return label, map[string][]string{
		"Touchbox-Link": {"calls"}, "Touchbox-Event-Sequence": {"7"}, "Touchbox-Event-Stored": {"2026-11-01T10:00:05.123456789Z"},
		"Touchbox-Attempts": {"3"}, "Touchbox-First": {"2026-11-01T09:59:05.123456789Z"}, "Touchbox-Reason": {"server_error"},
		"Touchbox-Status": {"500"}, "Touchbox-Answer": {"sorry"}, "Touchbox-Pinned": {"1"}, "Touchbox-Pinned-Endpoint": {"clinic.Website"},
		"Touchbox-Pinned-Operation": {"CallTouch"}, "Touchbox-Pinned-Revision": {"r1"}, "Touchbox-Revision": {"r2"},
		"Touchbox-As": {"old-calls"}, "Touchbox-Replayed": {"1"}, "Touchbox-Version": {"abc"},
	}
}

func TestLabelSurvivesHeaders(t *testing.T) {
	label, header := full()
	written := map[string][]string{"Touchbox-Format": {"1"}}
	label.Write(written)
	header["Touchbox-Format"] = []string{"1"}
	if diff := cmp.Diff(header, written); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(label, event.ReadLabel(written)); diff != "" {
		t.Error(diff)
	}
	event.Label{Link: "calls"}.Write(written) // over the older one, of which nothing stays
	if diff := cmp.Diff(map[string][]string{"Touchbox-Format": {"1"}, "Touchbox-Link": {"calls"}}, written); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(event.Label{Link: "calls"}, event.ReadLabel(written)); diff != "" {
		t.Error(diff)
	}
}

// An event with a damaged count is still an event.
func TestReadLabelForgives(t *testing.T) {
	got := event.ReadLabel(map[string][]string{
		"Touchbox-Attempts": {"many"}, "Touchbox-First": {"yesterday"}, "Touchbox-Pinned-Operation": {"CallTouch"}, "Touchbox-Status": {},
	})
	if diff := cmp.Diff(event.Label{}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTrailHasOneJSON(t *testing.T) {
	label, _ := full()
	got, err := json.Marshal(label.Trail)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"attempts":3,"first":"2026-11-01T09:59:05.123456789Z","reason":"server_error","status":500,"answer":"sorry",` +
		`"pin":{"endpoint":"clinic.Website","operation":"CallTouch","revision":"r1"},"revision":"r2","as":"old-calls","replayed":true,"version":"abc"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, err := json.Marshal(event.Trail{}); err != nil || string(got) != "{}" {
		t.Errorf("an empty one: %s, %v", got, err)
	}
}
