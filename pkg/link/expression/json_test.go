package expression

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// library writes a value as the library of Go would, without nil in lists and maps.
func library(buf *bytes.Buffer, e *json.Encoder, b []byte, v any) ([]byte, error) {
	buf.Reset()
	if err := e.Encode(pruned(v)); err != nil {
		return b, err
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...), nil
}

// pruned leaves nil out of lists and maps.
func pruned(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			if item != nil {
				out = append(out, pruned(item))
			}
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			if item != nil {
				out[name] = pruned(item)
			}
		}
		return out
	}
	return v
}

// values as events have them and expressions make them.
var values = []struct {
	name  string
	value any
}{
	{"text", "Звонок 148071 с номера 79000000001, 42 с"},
	{"escapes", "https://clinic.example/?a=1&b=<2>\n\"цитата\"\t\\"},
	{"number", int64(148071)},
	{"list", []string{"новый", "повторный", "vip"}},
	{"object", map[string]any{"name": "promo", "value": "Весна", "none": nil, "list": []any{int64(1), 2.5, true, nil}}},
}

// TestJSONIsTheLibrarys holds our JSON to what the library reads and writes.
func TestJSONIsTheLibrarys(t *testing.T) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	for _, tt := range values {
		ours, err := AppendJSON(nil, tt.value)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := library(&buf, e, nil, tt.value)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, theirs) {
			t.Errorf("%s: got %s, want %s", tt.name, ours, theirs)
		}
	}
}

// TestJSONIsNotTheLibrarys: where ours differs, and must, since what is sent is compared byte by byte.
func TestJSONIsNotTheLibrarys(t *testing.T) {
	for want, v := range map[string]any{
		`1000000000000000000000`: 1e21, `"2026-03-04T05:06:07Z"`: time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC),
		`"` + "\u2028" + `"`: "\u2028",
	} {
		if got, err := AppendJSON(nil, v); err != nil || string(got) != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
}

// BenchmarkJSON compares our writer with the library's, for each kind of value.
func BenchmarkJSON(b *testing.B) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	writers := []struct {
		name  string
		write func(b []byte, v any) ([]byte, error)
	}{
		{"ours", AppendJSON},
		{"library", func(b []byte, v any) ([]byte, error) { return library(&buf, e, b, v) }},
	}
	for _, w := range writers {
		for _, tt := range values {
			b.Run("writer="+w.name+"/"+tt.name, func(b *testing.B) {
				b.ReportAllocs()
				body := make([]byte, 0, 512)
				for b.Loop() {
					if _, err := w.write(body, tt.value); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
