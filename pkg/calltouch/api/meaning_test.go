package api_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/event"
)

// TestHookAndRecordMeanTheSame compares each event of a cabinet as its hook tells it with the
// record that the client reads, whatever types the answer chose.
func TestHookAndRecordMeanTheSame(t *testing.T) {
	noon := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	source := calltouchtest.New(calltouchtest.Config{Location: time.UTC, Now: func() time.Time { return noon }, Faults: calltouchtest.Faults{Unstable: true}})
	source.Populate(400, noon.Add(-11*time.Hour), noon.Add(-time.Hour))
	hooks := map[event.Key]calltouch.Fields{}
	v := calltouch.View{Location: time.UTC, Attrs: []string{"mindboxDeviceUUID"}, Device: "mindboxDeviceUUID"}
	add := func(h calltouchtest.Hook) {
		e, note := calltouch.Identify(event.Event{
			Key: event.Key{Site: "10001"}, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded", Body: []byte(h.Encode()),
		}, v)
		f, err := calltouch.Parse(e, v)
		if err != nil || note.Aside != "" {
			t.Fatalf("%s: %v, aside %q", h.Sort, err, note.Aside)
		}
		hooks[e.Key] = f
	}
	for _, c := range source.Calls() {
		add(source.EndHook(c))
	}
	for _, r := range source.Requests() {
		add(source.RequestHook(r))
	}
	seen := 0
	compare := func(side calltouch.Origins, origin event.Origin) func(calltouch.Listed) error {
		return func(r calltouch.Listed) error {
			e, record, err := calltouch.Record("10001", r.Kind, origin, r.Raw, v)
			if err != nil {
				return err
			}
			if !e.Time.Equal(r.Time) || e.Key.ID != r.ID || r.Kind == event.CallEnded && !endOf(record).Equal(r.End) {
				t.Errorf("%s: listed %s %s, stored %s %s", e.Key, r.ID, r.Time, e.Key.ID, e.Time)
			}
			differs := func(name string, _ any) bool {
				f, _ := calltouch.Lookup(name)
				return f.Differs || !f.Origins.Has(calltouch.FromHook|side)
			}
			hook := maps.Clone(hooks[e.Key])
			maps.DeleteFunc(hook, differs)
			maps.DeleteFunc(record, differs)
			if record["sessionId"] == nil && r.Kind == event.Request {
				delete(hook, "attribution") // the API has it in the session alone
			}
			if diff := cmp.Diff(hook, record); diff != "" {
				t.Errorf("%s: -hook +record %s", e.Key, diff)
			}
			seen++
			return nil
		}
	}
	c := client(source)
	if err := c.Calls(t.Context(), day(t, "2026-11-02"), compare(calltouch.FromJournal, event.Journal)); err != nil {
		t.Fatal(err)
	}
	if err := c.Requests(t.Context(), day(t, "2026-11-02"), compare(calltouch.FromPoll, event.Poll)); err != nil {
		t.Fatal(err)
	}
	if seen != 400 {
		t.Errorf("%d of 400 compared", seen)
	}
}

// endOf is when a call of the journal was over.
func endOf(f calltouch.Fields) time.Time {
	start, _ := f["time"].(time.Time)
	waiting, _ := f["waiting_time"].(int64)
	duration, _ := f["duration"].(int64)
	return start.Add(time.Duration(waiting+max(duration, 0)) * time.Second)
}
