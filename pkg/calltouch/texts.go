package calltouch

import (
	"encoding/json"
	"iter"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
)

// deepest is how many encodings inside each other Texts undoes: a page's address in a form has its own
// parameters escaped twice.
const deepest = 3

// Texts iterates over all that an event says, whatever its field: the names and values of its URL's
// query and of its body, with form encoding and JSON undone, also where a value holds them again.
// Numbers come as their digits. A body that cannot be read comes as it is. The same text may come
// more than once, in several readings.
func Texts(e event.Event) iter.Seq[string] {
	return func(yield func(string) bool) {
		w := walker{yield: yield}
		w.form(e.Query, 0)
		body := string(e.Body)
		switch {
		case isMultipart(e.ContentType):
			w.say(body)
		case !w.json(body, 0):
			w.form(body, 0)
		}
	}
}

// walker passes on texts until nobody wants more.
type walker struct {
	yield func(string) bool
	ended bool
}

func (w *walker) say(text string) {
	if !w.ended && text != "" {
		w.ended = !w.yield(text)
	}
}

// form walks url-encoded text.
func (w *walker) form(encoded string, depth int) {
	for name, value := range parameters(encoded) {
		if w.ended {
			return
		}
		w.say(name)
		w.value(unescape(value), depth)
		if strings.Contains(value, "+") && strings.Contains(unescape(value), "@") { // not everybody escapes it: a+b@c.ru
			w.value(unescape(strings.ReplaceAll(value, "+", "%2B")), depth)
		}
	}
}

// json walks JSON, and reports whether text is any. What only begins like it comes as it is too.
func (w *walker) json(text string, depth int) bool {
	if begin := strings.TrimLeft(text, "\ufeff \t\r\n"); begin == "" || begin[0] != '{' && begin[0] != '[' {
		return false
	}
	v, err := decodeJSON([]byte(text))
	if err != nil {
		w.say(text)
		return false
	}
	w.walk(v, depth)
	return true
}

func (w *walker) walk(v any, depth int) {
	switch v := v.(type) {
	case string:
		w.value(v, depth)
	case json.Number:
		w.say(v.String())
		w.say(numberText(v.String()))
	case []any:
		for _, element := range v {
			w.walk(element, depth)
		}
	case map[string]any:
		for name, element := range v {
			w.say(name)
			w.walk(element, depth)
		}
	}
}

// value passes on a value, and what it holds once more encoded.
func (w *walker) value(text string, depth int) {
	w.say(text)
	if depth == deepest || w.ended {
		return
	}
	if !w.json(text, depth+1) && strings.Contains(text, "%") {
		w.value(unescape(strings.ReplaceAll(text, "+", "%2B")), depth+1)
		if strings.Contains(text, "+") {
			w.value(unescape(text), depth+1)
		}
	}
}
