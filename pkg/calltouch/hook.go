package calltouch

import (
	"bytes"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
)

// readHook reads a webhook: the parameters of its URL, then those of its body, which win.
func (r *reader) readHook(e event.Event) error {
	r.readForm(e.Query)
	if !isJSON(e.Body) {
		r.readForm(string(e.Body))
		return nil
	}
	object, err := decodeObject(e.Body)
	if err != nil {
		return err
	}
	for name, value := range object {
		if f := hookField(name); f != nil {
			r.setJSON(f, joined(value))
		}
	}
	return nil
}

// joined writes a list of texts as hooks write lists of tags: with commas.
func joined(value any) any {
	l, ok := value.([]any)
	if !ok {
		return value
	}
	texts := make([]string, len(l))
	for i, element := range l {
		if texts[i], ok = element.(string); !ok {
			return value
		}
	}
	return strings.Join(texts, ",")
}

func (r *reader) readForm(encoded string) {
	for name, value := range parameters(encoded) {
		if f := hookField(name); f != nil {
			r.set(f, unescape(value))
		}
	}
}

// hookField returns the field that a parameter of this name sets; nil when none.
func hookField(name string) *Field {
	f := byName[name]
	if f == nil || f.Derived && name != "email" && name != "comment" {
		return nil
	}
	return f
}

// isJSON tells a JSON body from a form by its first character: the content type is wrong or
// missing too often to be asked.
func isJSON(body []byte) bool {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	return len(body) > 0 && body[0] == '{'
}
