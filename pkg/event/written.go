package event

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// JSON is a JSON text in the making: byte for byte what encoding/json makes of the same values, in one pass. Each outcome of each link
// has a record, and to write these by reflection was a tenth of a worker's CPU. NewJSON begins an object; what it holds is written
// in its order.
type JSON struct {
	text []byte
	err  error
}

// NewJSON begins with room for so many bytes.
func NewJSON(room int) JSON { return JSON{text: append(make([]byte, 0, room), '{')} }

// End is the whole text.
func (j *JSON) End() ([]byte, error) { return append(j.text, '}'), j.err }

// name begins a value: a comma, unless it is the first, and its name.
func (j *JSON) name(name string) {
	j.comma()
	j.text = append(appendText(j.text, name), ':')
}

func (j *JSON) comma() {
	if last := j.text[len(j.text)-1]; last != '{' && last != '[' {
		j.text = append(j.text, ',')
	}
}

// Put writes a text.
func (j *JSON) Put(name, s string) {
	j.name(name)
	j.text = appendText(j.text, s)
}

// Some writes a text, unless it is empty. So do the next ones, of their zero values.
func (j *JSON) Some(name, s string) {
	if s != "" {
		j.Put(name, s)
	}
}

// Number writes a number.
func (j *JSON) Number(name string, n int) {
	if n != 0 {
		j.name(name)
		j.text = strconv.AppendInt(j.text, int64(n), 10)
	}
}

// Sequence writes a place in a stream.
func (j *JSON) Sequence(name string, n uint64) {
	if n != 0 {
		j.name(name)
		j.text = strconv.AppendUint(j.text, n, 10)
	}
}

// Milliseconds writes parts of a second.
func (j *JSON) Milliseconds(name string, ms float64) {
	switch {
	case ms == 0:
	case math.Abs(ms) < 1e-3 || !(math.Abs(ms) < 1e15): // encoding/json has another form for some of these
		j.Value(name, ms)
	default:
		j.name(name)
		j.text = strconv.AppendFloat(j.text, ms, 'f', -1, 64)
	}
}

// Yes writes true.
func (j *JSON) Yes(name string, yes bool) {
	if yes {
		j.Value(name, yes)
	}
}

// Moment writes a time.
func (j *JSON) Moment(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	j.name(name)
	text, err := t.AppendText(append(j.text, '"'))
	if err != nil { // a year that RFC 3339 does not have
		j.err = err
		return
	}
	j.text = append(text, '"')
}

// Texts writes a list of texts.
func (j *JSON) Texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	j.List(name)
	for _, s := range list {
		j.comma()
		j.text = appendText(j.text, s)
	}
	j.CloseList()
}

// Raw writes what is JSON already, as encoding/json has made it.
func (j *JSON) Raw(name string, raw json.RawMessage) {
	if len(raw) > 0 {
		j.name(name)
		j.text = append(j.text, raw...)
	}
}

// Pin writes a pin.
func (j *JSON) Pin(name string, p *Pin) {
	if p != nil {
		j.Open(name)
		j.Put("endpoint", p.Endpoint)
		j.Put("operation", p.Operation)
		j.Some("revision", p.Revision)
		j.Close()
	}
}

// Value writes any value, also an empty one.
func (j *JSON) Value(name string, v any) {
	j.name(name)
	switch v := v.(type) {
	case nil:
		j.text = append(j.text, "null"...)
	case bool:
		j.text = strconv.AppendBool(j.text, v)
	case string:
		j.text = appendText(j.text, v)
	case int64:
		j.text = strconv.AppendInt(j.text, v, 10)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			j.err = err
		}
		j.text = append(j.text, text...)
	}
}

// Open begins an object within, Item one in a list, and Close ends either.
func (j *JSON) Open(name string) {
	j.name(name)
	j.text = append(j.text, '{')
}

// Item begins an object in a list.
func (j *JSON) Item() {
	j.comma()
	j.text = append(j.text, '{')
}

// Close ends an object.
func (j *JSON) Close() { j.text = append(j.text, '}') }

// List begins a list, and CloseList ends it.
func (j *JSON) List(name string) {
	j.name(name)
	j.text = append(j.text, '[')
}

// CloseList ends a list.
func (j *JSON) CloseList() { j.text = append(j.text, ']') }

// appendText appends a text as encoding/json writes it. What has to be escaped, but for quotes and backslashes, is left to that:
// nearly nothing has.
func appendText(b []byte, s string) []byte {
	const separators = 0xe2 // begins U+2028 and U+2029, which are escaped, and others, which are not
	began, done := len(b), 0
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\':
			b = append(append(b, s[done:i]...), '\\', c)
			done = i + 1
		case c < ' ', c == '<', c == '>', c == '&', c == separators:
			return appendEscaped(b[:began], s)
		}
	}
	if !utf8.ValidString(s) {
		return appendEscaped(b[:began], s)
	}
	return append(append(b, s[done:]...), '"')
}

func appendEscaped(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // of a text there is no error
	return append(b, text...)
}
