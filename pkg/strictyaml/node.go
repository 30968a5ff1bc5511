package strictyaml

import (
	"regexp"
	"slices"
	"strings"
)

// Kind is what a YAML node holds.
type Kind int

// Kinds of node.
const (
	Broken   Kind = iota // a mistake was reported; readers pass over it
	Scalar               // one value
	Mapping              // keys and values
	Sequence             // a list
)

// Style is how a scalar is written.
type Style int

// Styles of a scalar.
const (
	Plain Style = iota
	Quoted
	Block    // | or >
	JSONText // in the quotes of pasted JSON, where they say that it is a text
)

// Node is one value of the file, after anchors, aliases and merges.
type Node struct {
	Kind    Kind
	Style   Style
	Text    string // of a scalar: as written, escapes undone
	Pos     Pos
	Entries []Entry
	places  map[string]int // of the keys among entries, where there are many
	Items   []*Node
	size    int // nodes in this tree, shared ones counted each time
}

// Entry is one key of a mapping with its value.
type Entry struct {
	Key   string
	Pos   Pos
	Value *Node
}

// many is from how many keys on a mapping is worth an index: tables may have tens of thousands.
const many = 16

// put appends an entry.
func (n *Node) put(e Entry) {
	n.Entries = append(n.Entries, e)
	n.size = min(n.size+e.Value.size, maxNodes)
	switch {
	case n.places != nil:
		n.places[e.Key] = len(n.Entries) - 1
	case len(n.Entries) == many:
		n.places = make(map[string]int, 2*many)
		for i, e := range n.Entries {
			n.places[e.Key] = i
		}
	}
}

// find returns the entry of a key; nil when it is not there.
func (n *Node) find(key string) *Entry {
	if n.places != nil {
		if i, ok := n.places[key]; ok {
			return &n.Entries[i]
		}
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return &n.Entries[i]
		}
	}
	return nil
}

// Get finds a key; nil when it is not there.
func (n *Node) Get(key string) *Node {
	if e := n.find(key); e != nil {
		return e.Value
	}
	return nil
}

// Literal reports whether a plain scalar is a number or a boolean, not a text.
func (n *Node) Literal() bool {
	return n.Kind == Scalar && n.Style == Plain && (IsNumber(n.Text) || n.Text == "true" || n.Text == "false")
}

// IsNumber follows JSON's grammar, so that a number can go on as it is written.
func IsNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(s, ".")
	if !Digits(whole) || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return !point || Digits(fraction)
}

// Digits reports whether a text is digits and nothing else.
func Digits(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// NotA reports a value of the wrong shape; want is the right one in English, with a Russian twin. Nothing
// is reported of a node that is broken, or not there.
func (r *Reader) NotA(n *Node, want string) {
	if n == nil || n.Kind == Broken {
		return
	}
	got := map[Kind]string{Scalar: "a text", Mapping: "a mapping (key: value)", Sequence: "a list"}[n.Kind]
	r.Mistake(n.Pos, "%s belongs here, not %s", Word(r.Language.Text(want)), Word(r.Language.Text(got)))
}

// Keys are those that a mapping may have.
type Keys struct {
	Title    string   // of the mapping, as problems call it
	Names    []string // of all its keys
	Required []string // of those that must be there
	// Stray hints at where a key belongs that is none of these and resembles none; nil says nothing.
	Stray func(unknown Note, key string)
}

// Mapping reports the keys that a mapping must not have and those that it lacks; ok is false for a node that is none.
func (r *Reader) Mapping(n *Node, k Keys) (ok bool) {
	if n == nil || n.Kind != Mapping {
		r.NotA(n, "a mapping (key: value)")
		return false
	}
	for _, e := range n.Entries {
		if !slices.Contains(k.Names, e.Key) {
			m := r.Mistake(e.Pos, "unknown key %s in %s", e.Key, Word(k.Title))
			if !m.Suggest(e.Key, k.Names) && k.Stray != nil {
				k.Stray(m, e.Key)
			}
		}
	}
	for _, name := range k.Required {
		if n.Get(name) == nil {
			r.Mistake(n.Pos, "%s is missing in %s", Word(name), Word(k.Title))
		}
	}
	return true
}

// ScalarText reads any one value by its written text; ok is false where there is none, or a mistake.
func (r *Reader) ScalarText(n *Node) (text string, ok bool) {
	if n == nil {
		return "", false
	}
	if n.Kind != Scalar {
		r.NotA(n, "a text")
		return "", false
	}
	if strings.TrimSpace(n.Text) == "" {
		r.Mistake(n.Pos, "the text is empty").Hint("leave the key out, or give it a value")
		return "", false
	}
	if p := Placeholder(n.Text); p != "" {
		r.Mistake(n.Pos, "%s is a placeholder that nobody filled in", p)
		return "", false
	}
	return n.Text, true
}

// ToDo stands in a drafted link for a value that a person has still to choose.
const ToDo = "TODO"

// leftOver finds what a person was to replace: <Мобильный телефон>, {{phone}}, {callerphone}, TODO.
var leftOver = regexp.MustCompile(`^\s*(<[^<>]*\pL[^<>]*>|\{\{?[^{}$"':]*\}?\}|` + ToDo + `)\s*$`)

// Placeholder is what a person was to replace, where a text is nothing else; "" where it is not.
func Placeholder(s string) string {
	if leftOver.MatchString(s) {
		return strings.TrimSpace(s)
	}
	return ""
}
