package link_test

import (
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// TestTryGoesAWorkersWay: a worker filters before it renders, and looks at the age of what it would send.
func TestTryGoesAWorkersWay(t *testing.T) {
	l := load(t, withBody("\n      customer.mobilePhone: ${phone(callerphone)}\n      n: ${int(utm_term)}", "    when: unique\n    expire: 1h")).Link("one")
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	call := func(more calltouch.Fields) calltouch.Fields {
		fields := calltouch.Fields{"kind": "call.ended", "unique": true, "callerphone": "79000000001", "time": at}
		for name, value := range more {
			fields[name] = value
		}
		return fields
	}
	tests := []struct {
		name   string
		fields calltouch.Fields
		now    time.Time
		want   event.Outcome
	}{
		{"all is there", call(nil), at, event.Delivered},
		{"not rendered, because filtered", call(calltouch.Fields{"unique": false, "utm_term": "x"}), at, event.Filtered},
		{"not rendered", call(calltouch.Fields{"utm_term": "x"}), at, event.Dead},
		{"of another kind", call(calltouch.Fields{"kind": "call.started", "utm_term": "x"}), at, event.Untaken},
		{"too old", call(nil), at.Add(time.Hour + time.Second), event.Dead},
		{"too old, but filtered", call(calltouch.Fields{"unique": false}), at.Add(2 * time.Hour), event.Filtered},
		{"too old, but without a phone", call(calltouch.Fields{"callerphone": nil}), at.Add(2 * time.Hour), event.Undeliverable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := l.Try(tt.fields, tt.now)
			if got.Outcome != tt.want || got.Expired != (tt.name == "too old") || (got.Err != nil) != (tt.name == "not rendered") {
				t.Errorf("got %s, expired %v, %v", got.Outcome, got.Expired, got.Err)
			}
			if e := l.Explain(tt.fields, true); !got.Expired && e.Outcome != tt.want {
				t.Errorf("explained as %s", e.Outcome)
			}
		})
	}
}
