package admin

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// The texts were written by the version before these types shared the trail: byte for byte they stay.
func TestJSONStaysAsItWas(t *testing.T) {
	at := time.Date(2026, 11, 1, 10, 0, 5, 0, time.UTC)
	key := event.Key{Site: "10001", Kind: event.CallEnded, ID: "1"}
	trail := event.Trail{
		Attempts: 3, First: at, Reason: "server_error", Status: 500, Answer: "<sorry>", Revision: "r2", As: "old", Replayed: true, Version: "abc",
		Pin: &event.Pin{Endpoint: "clinic.Website", Operation: "CallTouch", Revision: "r1"},
	}
	dead := queue.DeadLetter{Link: "calls", Event: event.Event{Key: key}, Trail: trail, Died: at, Damaged: true}
	dead.Reason = "too_old"
	tests := []struct {
		name string
		show func(Mask) any
		want string
	}{
		{"a dead letter", func(m Mask) any { x := m.DeadLetter(dead); x.Problem = "p"; return x },
			`{"link":"calls","key":"10001/call-ended/1","site":"10001","kind":"call.ended","id":"1","reason":"too_old","status":500,"answer":"<sorry>","attempts":3,"first":"2026-11-01T10:00:05Z","died":"2026-11-01T10:00:05Z","pin":{"endpoint":"clinic.Website","operation":"CallTouch","revision":"r1"},"revision":"r2","as":"old","replayed":true,"damaged":true,"version":"abc","problem":"p"}`},
		{"a dead letter of which little is known", func(m Mask) any {
			return m.DeadLetter(queue.DeadLetter{Link: "calls", Event: event.Event{Key: key}, Died: at})
		},
			`{"link":"calls","key":"10001/call-ended/1","site":"10001","kind":"call.ended","id":"1","reason":"","attempts":0,"died":"2026-11-01T10:00:05Z"}`},
		{"a retry", func(m Mask) any {
			return m.Retry(queue.Retry{Delivery: queue.Delivery{Event: event.Event{Key: key}, Link: "calls", Trail: trail}, Until: at, Due: true})
		},
			`{"link":"calls","key":"10001/call-ended/1","until":"2026-11-01T10:00:05Z","due":true,"attempts":3,"first":"2026-11-01T10:00:05Z","reason":"server_error","status":500,"error":"<sorry>","pin":{"endpoint":"clinic.Website","operation":"CallTouch","revision":"r1"},"revision":"r2","as":"old","replayed":true}`},
		{"a retry that was never tried", func(m Mask) any {
			return m.Retry(queue.Retry{Delivery: queue.Delivery{Event: event.Event{Key: key}, Link: "calls"}})
		},
			`{"link":"calls","key":"10001/call-ended/1","due":false,"attempts":0,"replayed":false}`},
		{"a record", func(m Mask) any {
			return m.Records([]queue.Record{{
				Time: at, Link: "calls", Outcome: event.Waiting, Note: "n", Trail: trail, Until: at, Parked: true, Probe: true, DurationMS: 1.5,
				TransactionID: "T", Detail: json.RawMessage(`{"a":"<b>"}`), Source: queue.FromEvents, Sequence: 7,
			}})[0]
		},
			`{"time":"2026-11-01T10:00:05Z","link":"calls","outcome":"waiting","note":"n","reason":"server_error","attempts":3,"first":"2026-11-01T10:00:05Z","until":"2026-11-01T10:00:05Z","parked":true,"probe":true,"status":500,"answer":"<sorry>","duration_ms":1.5,"transaction_id":"T","version":"abc","revision":"r2","as":"old","replayed":true,"pin":{"endpoint":"clinic.Website","operation":"CallTouch","revision":"r1"},"detail":{"a":"<b>"},"source":"events","sequence":7}`},
		{"a note", func(m Mask) any { return m.Records([]queue.Record{{Time: at}})[0] },
			`{"time":"2026-11-01T10:00:05Z"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			encoder := json.NewEncoder(&out)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(tt.show(Mask{Reveal: true})); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(out.String()); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestInOrderShowsWhatItDoesNotName(t *testing.T) {
	got, err := inOrder(map[string]int{"b": 1, "new": 2, "a": 3}, "a b missing")
	if err != nil || string(got) != `{"a":3,"b":1,"new":2}` {
		t.Errorf("%s, %v", got, err)
	}
}
