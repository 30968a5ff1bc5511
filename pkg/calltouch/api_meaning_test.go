package calltouch_test

import (
	"bytes"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

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
			if !e.Time.Equal(r.Time) || e.Key.ID != r.ID || r.Kind == event.CallEnded && !calltouch.Ended(record).Equal(r.End) {
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

// TestNothingPersonalIsLogged drives marked people through everything that can go wrong.
func TestNothingPersonalIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := newStage(t, calltouchtest.Config{Location: time.UTC})
		defer s.close()
		site := polled(time.UTC)
		site.Attribution = calltouch.Last
		site.Journal.Grace = 0
		time.Sleep(time.Hour)
		p := calltouch.NewPoller(calltouch.PollerConfig{
			Sites: []calltouch.Polled{site}, Store: s.log, State: s.shared.as("a"), HTTP: &http.Client{Transport: s.ears},
			Log: zerolog.New(&synced{w: &out}),
		})
		s.all.Go(func() { _ = p.Run(s.ctx) })
		time.Sleep(time.Second)
		marked := s.source.NewRequest(calltouchtest.Form, 1, time.Now())
		marked.Name, marked.Phone, marked.Email, marked.Comment = "Меченый", "79995550101", "marked@mail.example", "меченый"
		s.source.AddRequest(marked)
		call := s.source.NewCall(calltouchtest.Dynamic, 1, time.Now())
		call.Caller = marked.Phone
		s.source.Add(call)
		second := s.source.NewCall(calltouchtest.Dynamic, 1, time.Now().Add(20*time.Minute)) // a collision
		second.Caller = "79995550102"
		s.source.Add(second)
		for i := range int64(20) {
			s.source.Add(s.source.NewCall(calltouchtest.Dynamic, i+10, time.Now()))
		}
		for _, f := range []calltouchtest.Faults{{}, {APIOutage: true}, {RefuseToken: true}, {TooMany: 1}, {Cut: 1}, {}} {
			s.source.SetFaults(f)
			time.Sleep(30 * time.Minute)
		}
		s.close()
		text := out.String()
		for _, secret := range []string{"7999555", "Меченый", "меченый", "marked@", token(), "clientApiId=", "calltouch.example"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in the log", secret)
			}
		}
		for _, line := range []string{"this process polls", "check the API token", "asked again", "another call", "another model", "no webhook brought"} {
			if !strings.Contains(text, line) {
				t.Errorf("no %q in the log: %s", line, text)
			}
		}
	})
}
