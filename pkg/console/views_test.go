package console_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// TestEveryTemplateTakesEveryView makes every page of views that are filled, empty and hostile: what stands in them never becomes markup.
func TestEveryTemplateTakesEveryView(t *testing.T) {
	h := newHouse(t, nil)
	views := map[string]reflect.Type{}
	h.console.Watch(func(page string, view any) {
		if view != nil {
			views[page] = reflect.TypeOf(view)
		}
	})
	h.fillMore()
	w := walkAll(h.signedIn(adminKey), "en")
	h.signedIn(adminKey).get("/replays/none") // an error
	for _, name := range h.console.PageNames() {
		view := views[name]
		if view == nil && name != "notfound" {
			t.Errorf("no page of %d shows the template %s: let a link or a form lead there", len(w.pages), name)
			continue
		}
		for _, l := range []lang.Language{lang.English, lang.Russian} {
			for how, texts := range map[string][]string{"filled": {"text"}, "empty": nil, "hostile": hostile} {
				t.Run(fmt.Sprintf("%s %s %s", name, l, how), func(t *testing.T) {
					var filled any
					if view != nil {
						filled = (&filler{texts: texts}).value(view, 0).Interface()
					}
					around := "text"
					if len(texts) > 0 {
						around = texts[0]
					}
					body, err := h.console.Render(l, name, filled, around)
					if err != nil {
						t.Fatal(err)
					}
					wellFormed(t, name, body, string(l))
					noForeignMarkup(t, body)
				})
			}
		}
	}
}

// hostile are texts that try to become markup, a script, an address or the end of a line, and those that turn a text around.
var hostile = []string{
	`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, "javascript:alert(1)", "\u202egnp.exe\u2066", strings.Repeat("Ж", 5000), "</title></textarea></pre><foreign>", "a\r\nb\x00\xff",
	"{{.}}", "%s%d", "//evil.example/",
}

// noForeignMarkup reports what a hostile text has become.
func noForeignMarkup(t *testing.T, body string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "foreign" || n.Data == "img" {
			t.Errorf("a text became <%s>", n.Data)
		}
		for _, name := range []string{"href", "src", "action", "formaction"} {
			if to := attribute(n, name); strings.HasPrefix(to, "//") || strings.Contains(strings.SplitN(to, "?", 2)[0], ":") && strings.Contains(to, "alert") && !strings.HasPrefix(to, "/") {
				t.Errorf("<%s %s=%q> leads away", n.Data, name, to)
			}
		}
	}
}

// filler makes values. Without texts they are empty.
type filler struct {
	texts []string
	n     int
}

// deepest is how deep a view nests.
const deepest = 7

// text is the next text, each time another one: some stand in an id.
func (f *filler) text() string {
	f.n++
	return f.texts[f.n%len(f.texts)] + fmt.Sprint(f.n)
}

// lists are the closed lists of values, which hostile views leave now and then.
var lists = map[reflect.Type][]any{
	reflect.TypeFor[event.Outcome](): {event.Dead, event.Waiting, event.Delivered, event.Filtered, event.Undeliverable, event.Untaken, event.Outcome(`"><script>`)},
	reflect.TypeFor[event.Kind]():    {event.CallEnded, event.Request, event.Kind(`"><script>`)},
	reflect.TypeFor[event.Origin]():  {event.Webhook, event.Journal, event.Origin(`"><script>`)},
}

func (f *filler) value(of reflect.Type, depth int) reflect.Value {
	v := reflect.New(of).Elem()
	if len(f.texts) == 0 || depth > deepest {
		return v
	}
	f.n++
	switch {
	case of == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Now().Add(-time.Duration(f.n) * time.Hour)))
		return v
	case of == reflect.TypeFor[json.RawMessage]():
		raw, _ := json.Marshal(map[string]any{"missing": []string{f.text()}, "changed": []string{f.text()}, "why": f.text(), "error": f.text()})
		v.Set(reflect.ValueOf(json.RawMessage(raw)))
		return v
	case lists[of] != nil:
		v.Set(reflect.ValueOf(lists[of][f.n%len(lists[of])]))
		return v
	}
	switch of.Kind() {
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(100 + f.n%20))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(100 + f.n%20))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
		v.Elem().Set(f.value(of.Elem(), depth+1))
	case reflect.Slice:
		for range 2 {
			v.Set(reflect.Append(v, f.value(of.Elem(), depth+1)))
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).Set(f.value(of.Elem(), depth+1))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(of))
		for range 2 {
			v.SetMapIndex(f.value(of.Key(), depth+1), f.value(of.Elem(), depth+1))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				v.Field(i).Set(f.value(of.Field(i).Type, depth+1))
			}
		}
	case reflect.Interface:
		switch of {
		case reflect.TypeFor[error]():
			v.Set(reflect.ValueOf(fmt.Errorf("%s", f.text())))
		case reflect.TypeFor[any]():
			v.Set(reflect.ValueOf(f.text()))
		}
	}
	return v
}
