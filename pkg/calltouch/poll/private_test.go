package poll_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
)

// TestNothingPersonalIsLogged drives marked people through everything that can go wrong.
func TestNothingPersonalIsLogged(t *testing.T) {
	var out bytes.Buffer
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		site := polled(time.UTC)
		site.Attribution = calltouch.Last
		site.Journal.Grace = 0
		time.Sleep(time.Hour)
		p := poll.New(poll.Config{
			Sites: []calltouch.Site{site}, Store: s.log, State: s.shared.as("a"), HTTP: &http.Client{Transport: s.ears},
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
