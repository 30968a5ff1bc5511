package console_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// patterns are the routes that the package's source names, so that a new one is looked at by every test of this file
// without being told of.
func patterns(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	route := regexp.MustCompile(`"((?:GET|HEAD|POST|PUT|PATCH|DELETE) /[^"]*)"`)
	var all []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range route.FindAllStringSubmatch(string(source), -1) {
			all = append(all, m[1])
		}
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) < 20 {
		t.Fatalf("the source names the routes %q alone", all)
	}
	return all
}

// ofPrograms reports whether a route is for programs, to which no page leads.
func ofPrograms(pattern string) bool { return strings.Contains(pattern, " /api/") }

// routing finds which route answers a request.
func routing(t *testing.T) func(method, path string) string {
	mux := http.NewServeMux()
	for _, p := range patterns(t) {
		mux.HandleFunc(p, func(http.ResponseWriter, *http.Request) {})
	}
	return func(method, path string) string {
		r, err := http.NewRequest(method, "http://x"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, pattern := mux.Handler(r)
		return pattern
	}
}

// form is a form that changes something.
type form struct {
	action string // path, with a query where it has one
	fields url.Values
	ask    []string // names of the fields that a person fills in
}

// walk is what a person comes upon who follows every link from the first page.
type walk struct {
	b     *browser
	pages map[string]answer // by path and query
	from  map[string]string // which page led there
	forms map[string]form   // by action and hidden fields
}

// mostPages bounds a walk: more means that links lead to ever new addresses.
const mostPages = 500

// walkAll follows every link, every form that shows something with each of its choices, and every stream.
func walkAll(b *browser, language string) *walk {
	b.t.Helper()
	w := &walk{b: b, pages: map[string]answer{}, from: map[string]string{}, forms: map[string]form{}}
	b.get("/?lang=" + language)
	next := []string{"/", "/nothing", "/sign-in"}
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		if _, been := w.pages[path]; been || path == "/live/stream" { // a stream has no end: other tests read it
			continue
		}
		if len(w.pages) == mostPages {
			b.t.Fatalf("the walk has no end; it came to %s by %s", path, w.from[path])
		}
		w.pages[path] = b.get(path)
		for _, found := range w.read(path, w.pages[path]) {
			if _, known := w.from[found]; !known {
				w.from[found] = path
				next = append(next, found)
			}
		}
	}
	return w
}

// read gives the addresses to which a page leads, and keeps its forms.
func (w *walk) read(path string, page answer) (to []string) {
	if page.location != "" {
		return w.resolved(path, page.location)
	}
	if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		return nil
	}
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		w.b.t.Fatal(path, err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, name := range []string{"href", "src", "data-stream", "poster", "srcset"} {
			if to2 := attribute(n, name); to2 != "" {
				to = append(to, w.resolved(path, to2)...)
			}
		}
		if n.Data == "form" {
			to = append(to, w.readForm(path, n)...)
		}
	}
	return to
}

// resolved is an address of this host without its language, as a browser asks for it. Whatever leads elsewhere is an error.
func (w *walk) resolved(path, href string) []string {
	base, err := url.Parse(path)
	if err != nil {
		w.b.t.Fatal(err)
	}
	u, err := base.Parse(href)
	if err != nil || u.Host != "" || u.Scheme != "" {
		w.b.t.Errorf("%s leads away from this host: %q", path, href)
		return nil
	}
	q := u.Query()
	q.Del("lang")
	u.RawQuery, u.Fragment = q.Encode(), ""
	return []string{u.String()}
}

// readForm keeps a form that changes something, and gives the addresses of one that shows something.
func (w *walk) readForm(path string, n *html.Node) (to []string) {
	f, choices := form{fields: url.Values{}}, map[string][]string{}
	for in := range n.Descendants() {
		name := attribute(in, "name")
		if in.Type != html.ElementNode || name == "" {
			continue
		}
		f.fields.Set(name, attribute(in, "value"))
		switch {
		case in.Data == "select":
			for o := range in.Descendants() {
				if o.Data == "option" && o.Type == html.ElementNode {
					choices[name] = append(choices[name], optionValue(o))
				}
			}
		case in.Data == "textarea" || in.Data == "input" && attribute(in, "type") != "hidden":
			f.ask = append(f.ask, name)
		}
	}
	actions := w.resolved(path, attribute(n, "action"))
	if len(actions) == 0 {
		return nil
	}
	f.action = actions[0]
	if !strings.EqualFold(attribute(n, "method"), "get") {
		w.forms[f.action+" "+f.fields.Encode()] = f
		return nil
	}
	to = append(to, f.action+"?"+f.fields.Encode())
	for name, values := range choices {
		for _, value := range values {
			with := clone(f.fields)
			with.Set(name, value)
			to = append(to, f.action+"?"+with.Encode())
		}
	}
	return to
}

func clone(v url.Values) url.Values {
	c := url.Values{}
	for name, list := range v {
		c[name] = slices.Clone(list)
	}
	return c
}

func optionValue(o *html.Node) string {
	for _, a := range o.Attr {
		if a.Key == "value" {
			return a.Val
		}
	}
	if o.FirstChild != nil {
		return o.FirstChild.Data
	}
	return ""
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
