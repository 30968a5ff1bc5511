package queue_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// sameRecord holds a record to what encoding/json makes of it: older versions and newer ones read the same bytes.
func sameRecord(t *testing.T, r queue.Record) {
	t.Helper()
	if r.Time.IsZero() {
		r.Time = time.Unix(1795898439, 0).UTC() // as every record has
	}
	want, wantErr := json.Marshal(r)
	got, err := queue.RecordJSON(r)
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("error %v, with encoding/json %v", err, wantErr)
	}
	if err == nil && string(got) != string(want) {
		t.Fatalf("\n%s, with encoding/json\n%s", got, want)
	}
}

// TestEachFieldOfARecordIsAsEncodingJSONWritesIt sets one field after the other, those that come later included.
func TestEachFieldOfARecordIsAsEncodingJSONWritesIt(t *testing.T) {
	var all queue.Record
	var set func(v reflect.Value)
	set = func(v reflect.Value) {
		for i := range v.NumField() {
			f := v.Field(i)
			if !f.CanSet() {
				continue
			}
			if f.Type() == reflect.TypeFor[event.Trail]() {
				set(f)
				continue
			}
			switch f.Interface().(type) {
			case time.Time:
				f.Set(reflect.ValueOf(time.Date(2026, 11, 1, 10, 0, 0, 120_000_000, time.UTC)))
			case *event.Pin:
				f.Set(reflect.ValueOf(&event.Pin{Endpoint: "a<b>", Operation: "Op", Revision: "2"}))
			case json.RawMessage:
				f.Set(reflect.ValueOf(json.RawMessage(`{"saw":{"id":"7"}}`)))
			default:
				switch f.Kind() {
				case reflect.String:
					f.SetString("Звонок & \"co\"")
				case reflect.Bool:
					f.SetBool(true)
				case reflect.Int:
					f.SetInt(-7)
				case reflect.Uint64:
					f.SetUint(math.MaxUint64)
				case reflect.Float64:
					f.SetFloat(0.125)
				default:
					t.Fatalf("a field of type %s: say here what it may be", f.Type())
				}
			}
			sameRecord(t, all)
			one := reflect.New(reflect.TypeFor[queue.Record]()).Elem()
			if v.Type() == one.Type() {
				one.Field(i).Set(f)
				sameRecord(t, one.Interface().(queue.Record))
			}
		}
	}
	set(reflect.ValueOf(&all).Elem())
}

func FuzzRecordIsAsEncodingJSONWritesIt(f *testing.F) {
	f.Add("site-link", "delivered", "Success", int64(1795898439), 12.345, 3)
	f.Add("a<b>&\"\\", "\u2028—№\x00\x7f", "\xff\xc0", int64(-62135596801), 1e-7, -1)
	f.Add("", "\U0001f600", "\ud7ff\ufffd", int64(1)<<40, 1e21, 200)
	f.Add("", "", "", int64(0), math.NaN(), 0)
	f.Fuzz(func(t *testing.T, a, b, c string, seconds int64, ms float64, n int) {
		detail, _ := json.Marshal(map[string]string{a: b})
		moment := time.Unix(seconds, int64(n)).UTC()
		sameRecord(t, queue.Record{
			Time: moment, Link: a, Outcome: event.Outcome(b), Note: c, By: a, Until: moment, Parked: n > 3, Probe: n < 0, DurationMS: ms,
			TransactionID: b, Detail: detail, Source: c, Sequence: uint64(n),
			Trail: event.Trail{Attempts: n, First: moment, Reason: a, Status: n, Answer: c, Pin: &event.Pin{Endpoint: a, Operation: b, Revision: c},
				Revision: b, As: c, Replayed: n > 7, Version: a},
		})
	})
}
