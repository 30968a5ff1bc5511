package pipeline

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"pgregory.net/rapid"
)

// TestTransactionIDIsForever holds the ids: another id for the same event is a second effect at
// Mindbox. These values must never change.
func TestTransactionIDIsForever(t *testing.T) {
	key := func(site string, kind event.Kind, id string) event.Key {
		return event.Key{Site: site, Kind: kind, ID: id}
	}
	tests := []struct {
		name, endpoint, operation, link, revision string
		key                                       event.Key
		want                                      string
	}{
		{"a call", "clinic.Website", "CallTouch", "calls-dynamic", "", key("10001", event.CallEnded, "148071"), "9140eb82-0507-5ceb-b1a4-0b57f40bc2d0"},
		{"another operation", "clinic.Website", "CallTouchStatic", "calls-dynamic", "", key("10001", event.CallEnded, "148071"), "7a7b38f0-a116-5850-98d4-9e8cb0ffc214"},
		{"a correction", "clinic.Website", "CallTouch", "calls-dynamic", "fix-1", key("10001", event.CallEnded, "148071"), "461ecfca-7c63-545c-9ee5-36a4144b8a01"},
		{"a request with an odd id", "clinic.Website", "CallTouch", "forms", "", key("10001", event.Request, "a b"), "3e7bf576-11a3-5877-aacb-42d90f548f87"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := TransactionID(tt.endpoint, tt.operation, tt.link, tt.key, tt.revision).String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	tests := []struct {
		attempt int
		upTo    time.Duration
		bound   time.Duration
	}{
		{1, 15 * time.Minute, 5 * time.Second},
		{2, 15 * time.Minute, 10 * time.Second},
		{3, 15 * time.Minute, 20 * time.Second},
		{8, 15 * time.Minute, 640 * time.Second},
		{9, 15 * time.Minute, 15 * time.Minute},
		{1000, 15 * time.Minute, 15 * time.Minute},
		{1, 2 * time.Second, 2 * time.Second},
		{5, 2 * time.Second, 2 * time.Second},
		{0, 15 * time.Minute, 5 * time.Second},
	}
	const draws = 400
	for _, tt := range tests {
		var low, high, sum time.Duration = math.MaxInt64, 0, 0
		for range draws {
			wait := Backoff(tt.attempt, tt.upTo)
			low, high, sum = min(low, wait), max(high, wait), sum+wait
		}
		if low < 0 || high > tt.bound {
			t.Errorf("attempt %d up to %v: %v to %v, want within 0 to %v", tt.attempt, tt.upTo, low, high, tt.bound)
		}
		// Full jitter: all of the range is used, and its middle is the mean.
		if mean := sum / draws; low > tt.bound/10 || high < tt.bound*9/10 || mean < tt.bound*2/5 || mean > tt.bound*3/5 {
			t.Errorf("attempt %d up to %v: %v to %v with mean %v is no full jitter over %v", tt.attempt, tt.upTo, low, high, mean, tt.bound)
		}
	}
}

func TestBackoffNeverLeavesItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		attempt := rapid.IntRange(-1, 1<<40).Draw(t, "attempt")
		upTo := time.Duration(rapid.Int64Range(int64(time.Second), int64(100*time.Hour)).Draw(t, "up to"))
		if wait := Backoff(attempt, upTo); wait < 0 || wait > upTo {
			t.Fatalf("got %v", wait)
		}
	})
}

func TestExhausted(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name     string
		age      time.Duration
		attempts int
		want     bool
	}{
		{"young", time.Hour, 100, false},
		{"old, but hardly tried", 100 * time.Hour, 9, false},
		{"old and tried", 72 * time.Hour, 10, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := exhausted(now.Add(-tt.age), now, tt.attempts, link.Retry{For: 72 * time.Hour}); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestDetailIsBounded: whatever came, a record holds what is said about it.
func TestDetailIsBounded(t *testing.T) {
	many := func(n int, text string) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = text
		}
		return list
	}
	saw := func(v any) map[string]any { return map[string]any{"tags": v} }
	tests := []struct {
		name       string
		detail     Detail
		conditions int
		cut        bool
	}{
		{"small", Detail{Conditions: []link.Condition{{Source: "a", Saw: saw("x")}}, Missing: many(3, "a")}, 1, false},
		{"a list of many values", Detail{Conditions: []link.Condition{{Source: "a", Saw: saw(many(60_000, "tag"))}, {Source: "b"}}}, 2, false},
		{"many conditions", Detail{Conditions: slices.Repeat([]link.Condition{{Source: strings.Repeat("x", 1000)}}, 100)}, 15, true},
		{"many fields", Detail{Missing: many(5000, "customer.ids.one"), Notes: many(5000, "customer.ids.one")}, 0, true},
		{"signs that JSON writes long", Detail{Conditions: []link.Condition{{Source: strings.Repeat("<", 10_000)}}, Notes: many(3000, "\u2028")}, 0, true},
		{"what is no JSON", Detail{Conditions: []link.Condition{{Source: "a", Saw: saw(math.Inf(1))}}}, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.detail.bounded()
			raw, err := json.Marshal(got)
			if err != nil || len(raw) > maxDetail+1000 {
				t.Errorf("%d bytes, %v", len(raw), err)
			}
			if len(got.Conditions) != tt.conditions || (got.Cut > 0) != tt.cut {
				t.Errorf("%d conditions, %d cut", len(got.Conditions), got.Cut)
			}
			if lost := len(tt.detail.Conditions) + len(tt.detail.Missing) + len(tt.detail.Notes) - len(got.Conditions) - len(got.Missing) - len(got.Notes); lost != got.Cut {
				t.Errorf("%d are lost, %d counted", lost, got.Cut)
			}
		})
	}
}

// TestDetailIsAsEncodingJSONWritesIt: HISTORY holds what encoding/json writes, whoever wrote it.
func TestDetailIsAsEncodingJSONWritesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a<b>&\"\\", "\u2028\xff", "Звонок №7"}))
		values := rapid.OneOf(
			rapid.Custom(func(t *rapid.T) any { return text.Draw(t, "text") }), rapid.Custom(func(t *rapid.T) any { return rapid.Int64().Draw(t, "n") }),
			rapid.Custom(func(t *rapid.T) any { return rapid.Float64().Draw(t, "x") }), rapid.Custom(func(t *rapid.T) any { return rapid.Bool().Draw(t, "yes") }),
			rapid.Custom(func(t *rapid.T) any { return time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "at"), 0).UTC() }),
			rapid.Custom(func(t *rapid.T) any { return map[string]string{text.Draw(t, "name"): "x"} }),
			rapid.Custom(func(t *rapid.T) any { return []any{text.Draw(t, "item"), nil} }), rapid.Just[any](nil))
		condition := rapid.Custom(func(t *rapid.T) link.Condition {
			return link.Condition{Source: text.Draw(t, "source"), Value: values.Draw(t, "value"), Saw: rapid.MapOf(text, values).Draw(t, "saw"), Pass: rapid.Bool().Draw(t, "pass")}
		})
		d := Detail{
			Conditions: rapid.SliceOfN(condition, 0, 3).Draw(t, "conditions"), Missing: rapid.SliceOfN(text, 0, 3).Draw(t, "missing"),
			Notes: rapid.SliceOfN(text, 0, 3).Draw(t, "notes"), Error: text.Draw(t, "error"), Again: rapid.SliceOfN(text, 0, 2).Draw(t, "again"),
			ErrorID: text.Draw(t, "id"), Cut: rapid.Int().Draw(t, "cut"),
		}
		if rapid.Bool().Draw(t, "pinned") {
			d.Pinned = &event.Pin{Endpoint: text.Draw(t, "endpoint"), Operation: text.Draw(t, "operation"), Revision: text.Draw(t, "revision")}
		}
		want, wantErr := json.Marshal(d)
		got, err := d.json()
		if (err != nil) != (wantErr != nil) || err == nil && string(got) != string(want) {
			t.Fatalf("\n%s (%v), with encoding/json\n%s (%v)", got, err, want, wantErr)
		}
	})
	if n := reflect.TypeFor[Detail]().NumField() + reflect.TypeFor[link.Condition]().NumField(); n != 8+4 {
		t.Errorf("%d fields of a detail and its conditions: the text above and what writes them know 12", n)
	}
}
