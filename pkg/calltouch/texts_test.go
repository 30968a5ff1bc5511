package calltouch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

func TestTexts(t *testing.T) {
	const want = "+7 (916) 123-45-67"
	tests := []struct {
		name, contentType, query, body string
	}{
		{"form", "", "", "id=1&callerphone=%2B7+%28916%29%20123-45-67"},
		{"query of a POST", "", "callerphone=%2B7+(916)+123-45-67", "id=1"},
		{"name of a parameter", "", "", "%2B7+(916)+123-45-67=1"},
		{"JSON", "application/json", "", `{"a": {"b": ["\u002b7 (916) 123-45-67"]}}`},
		{"JSON without its type", "", "", `{"phone": "+7 (916) 123-45-67"}`},
		{"name in JSON", "", "", `{"a": {"+7 (916) 123-45-67": 1}}`},
		{"a list", "", "", `["+7 (916) 123-45-67"]`},
		{"an address in a form", "", "", "url=https%3A%2F%2Fclinic.ru%2F%3Fphone%3D%252B7%2520%28916%29%2520123-45-67"},
		{"JSON in a form", "", "", "attrs=%7B%22phone%22%3A%22%5Cu002b7%20(916)%20123-45-67%22%7D"},
		{"form in JSON", "", "", `{"query": "a=1&phone=%2B7%20(916)%20123-45-67"}`},
		{"broken JSON", "", "", `{"phone": "+7 (916) 123-45-67"`},
		{"multipart", "multipart/form-data; boundary=x", "", "--x\r\n\r\n+7 (916) 123-45-67\r\n--x--"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := event.Event{ContentType: tt.contentType, Query: tt.query, Body: []byte(tt.body)}
			texts := slices.Collect(calltouch.Texts(e))
			if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, want) }) {
				t.Errorf("%q", texts)
			}
			for range calltouch.Texts(e) {
				break // must end the iteration
			}
		})
	}
}

func TestTextsOfNumbers(t *testing.T) {
	texts := slices.Collect(calltouch.Texts(event.Event{Body: []byte(`{"a": 79161234567, "b": 7.9161234568e10}`)}))
	for _, want := range []string{"79161234567", "79161234568"} {
		if !slices.Contains(texts, want) {
			t.Errorf("%s is not among %q", want, texts)
		}
	}
}
