package admin_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// An event that was filtered after an attempt that Mindbox may have executed keeps what it was sent as.
func TestReplayKeepsThePinOfTheHistory(t *testing.T) {
	pin := &event.Pin{Endpoint: "clinic.Then", Operation: "Then"}
	tests := []struct {
		name    string
		attempt queue.Record
		want    *event.Pin
	}{
		{"the record holds it", queue.Record{TransactionID: "T", Trail: event.Trail{Reason: "not_found", Pin: pin}}, pin},
		{"an earlier version held what differed", queue.Record{TransactionID: "T", Trail: event.Trail{Reason: "connect"}, Detail: []byte(`{"pinned":{"endpoint":"clinic.Then","operation":"Then"}}`)}, pin},
		{"an earlier version held none: the attempt may have run", queue.Record{TransactionID: "T", Trail: event.Trail{Reason: "server_error", Status: 500}}, &event.Pin{Endpoint: "clinic.Website", Operation: "CallTouch"}},
		{"an earlier version held none: it was refused", queue.Record{TransactionID: "T", Trail: event.Trail{Reason: "not_found", Status: 404}}, nil},
		{"nothing was sent", queue.Record{Trail: event.Trail{Reason: "parked"}}, nil},
	}
	h := newHouse(t)
	h.MayHaveRun = func(reason string) bool { return mindbox.Reason(reason).MayHaveRun() }
	h.register()
	then := h.File.Link("dynamic")
	if _, err := h.Queue.State().Put(t.Context(), event.VersionKeys.Of(then.Version), json.RawMessage(then.Document())); err != nil {
		t.Fatal(err)
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := call(i + 1)
			h.publish(i + 1)
			tt.attempt.Link, tt.attempt.Outcome, tt.attempt.Version = "dynamic", event.Waiting, then.Version
			for _, r := range []queue.Record{tt.attempt, {Link: "dynamic", Outcome: event.Filtered}} {
				if err := h.Queue.Note(t.Context(), key, r); err != nil {
					t.Fatal(err)
				}
			}
			p, err := h.Preview(t.Context(), admin.Item{Link: "dynamic", Key: key, Outcome: event.Filtered}, admin.ReplayOptions{}, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, p.Pin); diff != "" {
				t.Error(diff)
			}
		})
	}
}
