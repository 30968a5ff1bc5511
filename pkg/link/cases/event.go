package cases

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// given is the event of a case as the file gives it: whole, or by names and values.
type given struct {
	site  *link.Site
	whole calltouch.Fields // of a hook's body or a record; nil where names are given
	named map[string]any
}

// fields are the fields of the event as links see them.
func (g given) fields() calltouch.Fields {
	if g.whole != nil {
		return g.whole
	}
	return calltouch.Given(g.key(), g.origin(), g.named, g.site.View())
}

// madeUpID is the id of an event that is given without one.
const madeUpID = "1"

func (g given) key() event.Key {
	k := event.Key{Site: g.site.ID, Kind: event.CallEnded, ID: madeUpID}
	if g.named["requestId"] != nil {
		k.Kind = event.Request
	}
	if name, ok := g.named["kind"].(string); ok {
		k.Kind, _ = event.ParseKind(name) // known: see check
	}
	return k
}

func (g given) origin() event.Origin {
	if name, ok := g.named["origin"].(string); ok {
		return event.Origin(name)
	}
	return event.Webhook
}

// with is the event with other values for some names.
func (g given) with(more map[string]any) given {
	named := maps.Clone(g.named)
	for name, value := range more {
		attr, ok := strings.CutPrefix(name, attributes)
		if !ok {
			named[name] = value
			continue
		}
		attrs, _ := named["attrs"].(map[string]any)
		if attrs = maps.Clone(attrs); attrs == nil {
			attrs = map[string]any{}
		}
		attrs[attr] = value
		named["attrs"] = attrs
	}
	g.named = named
	return g
}

// attributes begins the name of a single attribute.
const attributes = "attrs."

// event reads the event of a case.
func (r *reader) event(n *strictyaml.Node, site *link.Site) (given, bool) {
	switch {
	case n == nil || n.Kind == strictyaml.Broken:
		return given{}, false
	case n.Kind == strictyaml.Scalar:
		return r.wholeEvent(n, site)
	case n.Kind != strictyaml.Mapping:
		r.NotA(n, "a hook's body, a record, or names and values")
		return given{}, false
	}
	before := r.Reported()
	g := given{site: site, named: map[string]any{}}
	for _, e := range n.Entries {
		if r.checkName(e.Key, e.Pos, site) && r.checkValue(e.Key, e.Value) {
			g = g.with(map[string]any{e.Key: valueOf(e.Value)})
		}
	}
	return g, !r.FailedSince(before)
}

// wholeEvent reads the body of a hook or a record of the API.
func (r *reader) wholeEvent(n *strictyaml.Node, site *link.Site) (given, bool) {
	text, ok := r.ScalarText(n)
	if !ok {
		return given{}, false
	}
	e, err := calltouch.Sample(site.ID, []byte(text), site.View())
	if err != nil {
		r.Mistake(n.Pos, "this is no event of site %s: %s", site.ID, strictyaml.Word(err.Error())).
			Hint("paste the body of a hook or a record of the API under |, or write names and values: {callerphone: \"79000000001\", duration: 42}")
		return given{}, false
	}
	fields, err := calltouch.Parse(e, site.View())
	if err != nil {
		r.Mistake(n.Pos, "this is no event of site %s: %s", site.ID, strictyaml.Word(err.Error()))
		return given{}, false
	}
	return given{site: site, whole: fields}, true
}

// checkName refuses names that no event has.
func (r *reader) checkName(name string, at strictyaml.Pos, site *link.Site) bool {
	if attr, ok := strings.CutPrefix(name, attributes); ok {
		if slices.Contains(site.Attrs, attr) {
			return true
		}
		r.Mistake(at, "the attribute %s is not declared in attrs of the site", attr).Suggest(attr, site.Attrs)
		return false
	}
	if _, ok := calltouch.Lookup(name); ok {
		return true
	}
	names := fieldNames()
	r.Mistake(at, "%s is no field of an event", name).Suggest(name, names)
	return false
}

func fieldNames() []string {
	var names []string
	for _, f := range calltouch.Vocabulary() {
		names = append(names, f.Name)
	}
	return names
}

// checkValue refuses what a field never has.
func (r *reader) checkValue(name string, n *strictyaml.Node) bool {
	f, _ := calltouch.Lookup(name)
	switch {
	case n.Kind == strictyaml.Broken:
		return false
	case n.Kind == strictyaml.Mapping && f.Type != calltouch.Attributes:
		r.NotA(n, "a text")
		return false
	case n.Kind != strictyaml.Mapping && f.Type == calltouch.Attributes:
		r.NotA(n, "a mapping (key: value)")
		return false
	case n.Kind == strictyaml.Mapping:
		return true
	}
	return n.Kind == strictyaml.Sequence || r.checkText(f, n.Text, n.Pos)
}

// checkText refuses a text that a field never has: the misspelt word of a closed list makes a test that shows nothing.
func (r *reader) checkText(f calltouch.Field, text string, at strictyaml.Pos) bool {
	if text == "" || f.Values == nil || slices.Contains(f.Values, text) {
		return true
	}
	r.Mistake(at, "%s is never %s: its values are %s", f.Name, text, strictyaml.Words(f.Values)).Suggest(text, f.Values)
	return false
}

// valueOf is a value of the file as encoding/json would have it. Numbers keep their digits.
func valueOf(n *strictyaml.Node) any {
	switch n.Kind {
	case strictyaml.Mapping:
		out := map[string]any{}
		for _, e := range n.Entries {
			out[e.Key] = valueOf(e.Value)
		}
		return out
	case strictyaml.Sequence:
		out := []any{}
		for _, item := range n.Items {
			out = append(out, valueOf(item))
		}
		return out
	}
	return n.Text
}

// jsonOf is a leaf as JSON: what is written plain is a number or boolean where it looks like one.
func jsonOf(n *strictyaml.Node) string {
	if n.Literal() {
		return n.Text
	}
	return textJSON(n.Text)
}

func textJSON(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text always can be
	return strings.TrimSuffix(b.String(), "\n")
}
