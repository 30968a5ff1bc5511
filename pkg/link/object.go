package link

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// object is a mapping that is read as one section.
type object struct {
	*reader
	node *node
	section
}

// object checks the names of the keys. The zero object, with ok false, is for a node that is no
// mapping.
func (r *reader) object(n *node, s section) (o object, ok bool) {
	if n == nil || n.kind != mapping {
		r.notA(n, "a mapping (key: value)")
		return object{}, false
	}
	o = object{reader: r, node: n, section: s}
	for _, e := range n.entries {
		if !slices.Contains(s.names(), e.key) {
			r.mistake(e.pos, "unknown key %s in %s", e.key, s.name).suggest(e.key, s.names())
		}
	}
	for _, k := range s.keys {
		if k.required && n.get(k.name) == nil && !r.broken(n, k.name) {
			r.mistake(n.pos, "%s is missing in %s", k.name, s.name)
		}
	}
	return o, true
}

// broken reports whether a mistake about the key was reported already.
func (r *reader) broken(n *node, key string) bool {
	i := slices.IndexFunc(n.entries, func(e entry) bool { return e.key == key })
	return i >= 0
}

// notA reports a value of the wrong shape; nothing when that was reported already.
func (r *reader) notA(n *node, want string) {
	if n == nil || n.kind == broken {
		return
	}
	got := map[kind]string{scalar: "a text", mapping: "a mapping (key: value)", sequence: "a list"}[n.kind]
	r.mistake(n.pos, "%s belongs here, not %s", r.lang.Text(want), r.lang.Text(got))
}

// scalarText reads any one value by its written text.
func (r *reader) scalarText(n *node) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.kind != scalar {
		r.notA(n, "a text")
		return "", false
	}
	if strings.TrimSpace(n.text) == "" {
		r.mistake(n.pos, "the text is empty").hint("leave the key out, or give it a value")
		return "", false
	}
	if p := placeholder(n.text); p != "" {
		r.mistake(n.pos, "%s is a placeholder that nobody filled in", p)
		return "", false
	}
	return n.text, true
}

// text reads a key; def where it is left out or broken.
func (o object) text(key, def string) string {
	if s, ok := o.scalarText(o.node.get(key)); ok {
		return s
	}
	return def
}

// matching reads a text that must have a form; what names the form.
func (o object) matching(key, pattern, def, what string) string {
	n := o.node.get(key)
	s, ok := o.scalarText(n)
	if !ok {
		return def
	}
	if !regexp.MustCompile(pattern).MatchString(s) {
		o.mistake(n.pos, "%s is no %s", s, o.lang.Text(what))
		return def
	}
	return s
}

// choice reads one of some words; the first is the default.
func (o object) choice(key string, words ...string) string {
	n := o.node.get(key)
	s, ok := o.scalarText(n)
	if !ok {
		return words[0]
	}
	if !slices.Contains(words, s) {
		o.mistake(n.pos, "%s is not possible here: %s", s, strings.Join(words, ", ")).suggest(s, words)
		return words[0]
	}
	return s
}

// duration reads 30s, 15m, 72h, 10d; least is the smallest that makes sense.
func (o object) duration(key string, def, least time.Duration) time.Duration {
	n := o.node.get(key)
	s, ok := o.scalarText(n)
	if !ok {
		return def
	}
	d, ok := parseDuration(s)
	switch {
	case !ok:
		o.mistake(n.pos, "%s is no span of time", s).hint("a number with its unit: 30s, 15m, 72h, 10d")
		return def
	case d < least:
		o.mistake(n.pos, "%s is too short: at least %s", s, least.String())
		return def
	}
	return d
}

// nodes reads a key that holds one value or a list.
func (o object) nodes(key string) []*node {
	n := o.node.get(key)
	switch {
	case n == nil:
		return nil
	case n.kind == sequence:
		if len(n.items) == 0 {
			o.mistake(n.pos, "the list is empty")
		}
		return n.items
	}
	return []*node{n}
}

// items reads a key that holds a list of mappings.
func (o object) items(key string) []*node {
	n := o.node.get(key)
	if n == nil {
		return nil
	}
	if n.kind != sequence {
		o.notA(n, "a list")
		return nil
	}
	return n.items
}

// map reads a key that holds free keys.
func (o object) entries(key string) []entry {
	n := o.node.get(key)
	if n == nil {
		return nil
	}
	if n.kind != mapping {
		o.notA(n, "a mapping (key: value)")
		return nil
	}
	return n.entries
}

// pos is the place of a key's value, or of the mapping where the key is left out.
func (o object) pos(key string) Pos {
	if n := o.node.get(key); n != nil {
		return n.pos
	}
	return o.node.pos
}

// leftOver finds what a person was to replace: <Мобильный телефон>, {{phone}}, {callerphone}.
var leftOver = regexp.MustCompile(`^\s*(<[^<>]*\pL[^<>]*>|\{\{?[^{}$"':]*\}?\})\s*$`)

func placeholder(s string) string {
	if leftOver.MatchString(s) {
		return strings.TrimSpace(s)
	}
	return ""
}
