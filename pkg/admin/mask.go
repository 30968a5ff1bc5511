package admin

import (
	"bytes"
	"encoding/json"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/show"
)

// Mask says how much of a person is shown. Its zero value hides all of it; with Reveal what came is shown as it
// came, which a person has to be allowed and which is written down. Secrets are shown to nobody:
// no view holds one.
type Mask struct{ Reveal bool }

// Field is the value of a field of an event as it may be shown. Nothing stays nil.
func (m Mask) Field(name string, value any) any {
	if m.Reveal {
		return value
	}
	field, known := calltouch.Lookup(name)
	if !known {
		field.Personal = true
	}
	return field.Masked(value)
}

// ID is an event's id as it may be shown: whoever has the key of a webhook chooses it.
func (m Mask) ID(key event.Key) string { return m.Text(key.ID) }

// Text is what is said of an event, by Mindbox or a person, as it may be shown. Most was masked before
// it was stored, by the version of that day.
func (m Mask) Text(s string) string {
	if m.Reveal {
		return s
	}
	return show.Mask(s)
}

// Detail masks the texts of a record's detail. What is no JSON is shown as a text.
func (m Mask) Detail(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || m.Reveal {
		return raw
	}
	var v any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		v = string(raw)
	}
	masked, err := json.Marshal(maskAll(v))
	if err != nil {
		return nil // unreachable: v came from JSON
	}
	return masked
}

// maskAll masks every text in what JSON can hold, the names of its values too.
func maskAll(v any) any {
	switch v := v.(type) {
	case string:
		return show.Mask(v)
	case []any:
		for i := range v {
			v[i] = maskAll(v[i])
		}
	case map[string]any:
		masked := make(map[string]any, len(v))
		for name, one := range v {
			masked[show.Mask(name)] = maskAll(one)
		}
		return masked
	}
	return v
}
