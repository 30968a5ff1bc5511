package calltouch_test

import (
	"fmt"
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
)

// The address of a request is an e-mail address or nothing: Mindbox takes any text for one and saves nothing.
func TestEmailOfARequest(t *testing.T) {
	contact := func(kind, value string) string {
		return fmt.Sprintf(`{"contactType":%q,"contactValue":%q}`, kind, value)
	}
	for _, tt := range []struct {
		name, contacts string
		want           any
	}{
		{"mail", contact("MAIL", "anna@example.ru"), "anna@example.ru"},
		{"invisible signs", contact("MAIL", "\u200bAnna@Example.ru\ufeff"), "Anna@Example.ru"},
		{"mailto", contact("EMAIL", "mailto:anna@example.ru"), "anna@example.ru"},
		{"a messenger before it", contact("TELEGRAM", "@anna_k") + "," + contact("MAIL", "anna@example.ru"), "anna@example.ru"},
		{"mail is preferred", contact("SKYPE", "boris@example.ru") + "," + contact("mail", "anna@example.ru"), "anna@example.ru"},
		{"a broken one before it", contact("MAIL", "anna@") + "," + contact("MAIL", "anna@example.ru"), "anna@example.ru"},
		{"of another type", contact("OTHER", "anna@example.ru"), "anna@example.ru"},
		{"a messenger alone", contact("TELEGRAM", "@anna_k"), nil},
		{"none", contact("MAIL", "не скажу"), nil},
		{"a phone", contact("MAIL", "+7 916 123-45-67"), nil},
		{"null", `null`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := `{"requestId":1,"client":{"contacts":[` + tt.contacts + `]}}`
			f := mustParse(t, event.Event{Key: event.Key{Kind: event.Request}, Origin: event.Poll, Body: []byte(body)})
			if f["email"] != tt.want {
				t.Errorf("email %q, want %q", f["email"], tt.want)
			}
		})
	}
}

// A call-back widget asks for the address, too; only the journal has it.
func TestEmailOfACallBack(t *testing.T) {
	f := mustParse(t, event.Event{Key: event.Key{Kind: event.CallEnded}, Origin: event.Journal,
		Body: []byte(`{"callId":5,"callbackCall":true,"callbackInfo":{"email":" anna@example.ru ","phone":"79161234567"}}`)})
	if f["email"] != "anna@example.ru" || f["callbackInfo"] == nil {
		t.Errorf("email %v of %v", f["email"], f["callbackInfo"])
	}
}

// Times that no calendar has are unknown ones; the event is stored all the same.
func TestImpossibleTimes(t *testing.T) {
	for _, body := range []string{
		"id=5&duration=1&calltime=0000-01-01 00:00:00", "id=5&duration=1&calltime=1969-12-31 23:00:00", "id=5&duration=1&calltime=2150-01-01 00:00:00",
		"id=5&duration=1&timestamp=99999999999", "id=5&duration=1&timestamp=-5", "id=5&duration=1&timestamp=1e18",
		"id=5&duration=1&timestamp=4102444800000",
	} {
		f := mustParse(t, hookEvent(event.CallEnded, body))
		if f["time"] != nil {
			t.Errorf("%s: time %v", body, f["time"])
		}
	}
}

// An address of nothing but a network's length is no address.
func TestEmptyAddressIsNothing(t *testing.T) {
	for _, ip := range []string{"/", "/32", " /"} {
		if f := mustParse(t, hookEvent(event.CallEnded, "id=5&duration=1&ip="+ip)); f["ip"] != nil {
			t.Errorf("ip=%s is %q", ip, f["ip"])
		}
	}
}
