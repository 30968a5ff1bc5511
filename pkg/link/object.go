package link

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/spelling"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// object is a mapping that is read as one section, by the table of its keys: a key that is left out, or has
// a mistake, reads as its default. The names of keys in our code are the table's.
type object struct {
	reader  *strictyaml.Reader
	node    *strictyaml.Node
	section *keys.Section
}

// object checks the names of the keys. The zero object, with ok false, is for a node that is no
// mapping.
func (l *loader) object(n *strictyaml.Node, s *keys.Section) (o object, ok bool) {
	if !l.Mapping(n, strictyaml.Keys{Title: s.Name, Names: s.Names(), Required: s.Required(), Stray: strayIn(s)}) {
		return object{}, false
	}
	return object{reader: l.Reader, node: n, section: s}, true
}

// strayIn hints at where a key belongs that a section does not have.
func strayIn(s *keys.Section) func(strictyaml.Note, string) {
	return func(m strictyaml.Note, key string) {
		if (s == &keys.File || s == &keys.Link) && strings.Contains(key, ".") {
			m.Hint("fields of the body stand under body, some blanks further right")
			return
		}
		for _, other := range keys.Sections() {
			if slices.Contains(other.Names(), key) {
				m.Hint("%s is a key of %s", strictyaml.Word(key), strictyaml.Word(other.Name))
				return
			}
		}
	}
}

// sub reads a mapping inside a mapping. One that is left out, or, with ok false, is no mapping, reads as empty.
func (l *loader) sub(o object, key string) (sub object, ok bool) {
	n, of := o.node.Get(key), o.section.Key(key).Of
	empty := &strictyaml.Node{Kind: strictyaml.Mapping, Pos: o.node.Pos}
	if n == nil {
		n = empty
	}
	if sub, ok = l.object(n, of); !ok {
		sub = object{reader: l.Reader, node: empty, section: of}
	}
	return sub, ok
}

// written finds a key in the table, and what is written for it: "" where it is left out, or is a mistake.
func (o object) written(name string) (key *keys.Key, at strictyaml.Pos, text string) {
	key, n := o.section.Key(name), o.node.Get(name)
	if text, ok := o.reader.ScalarText(n); ok {
		return key, n.Pos, text
	}
	return key, strictyaml.Pos{}, ""
}

// text reads any text.
func (o object) text(name string) string {
	key, _, text := o.written(name)
	if text == "" {
		return key.Default
	}
	return text
}

// word reads a text that must have the form that the table gives it.
func (o object) word(name string) string {
	key, at, text := o.written(name)
	return o.formed(at, text, form{key.Pattern, key.Form, key.Default})
}

// form is what a text must look like, what that is called, and what stands for a text that does not.
type form struct{ pattern, name, def string }

func (o object) formed(at strictyaml.Pos, text string, f form) string {
	if text == "" {
		return f.def
	}
	isAddress := f.pattern == keys.AddressPattern
	name := strictyaml.Word(o.reader.Language.Text(f.name))
	switch {
	case strings.Contains(text, "://") && !isAddress:
		o.reader.Mistake(at, "a whole address stands here").Hint("this alone: %s", name)
		return f.def
	case !regexp.MustCompile(f.pattern).MatchString(text):
		m := o.reader.Mistake(at, "%s is no %s", text, name)
		switch {
		case !isAddress:
			m.OtherAlphabet(spelling.Foreign(text))
		case strings.Contains(text, "?"):
			wholeAddress(m, text)
		}
		return f.def
	case !isAddress:
		warnOfAlphabets(o.reader, at, text)
	}
	return text
}

// warnOfAlphabets warns of a name that nobody can tell from the one that was meant. It is no mistake: on the
// other side, which made the name, the same slip may have been made.
func warnOfAlphabets(r *strictyaml.Reader, at strictyaml.Pos, name string) {
	if letters, russian := spelling.Foreign(name); letters != "" {
		r.Warn(at, "the name %s is of two alphabets", name).OtherAlphabet(letters, russian)
	}
}

// address reads an address without its trailing slash. A user or password in it would be shown and
// stored with it; so they are refused.
func (o object) address(name string) string {
	key, at, text := o.written(name)
	text = o.formed(at, text, form{keys.AddressPattern, keys.AddressForm, key.Default})
	u, err := url.Parse(text)
	switch {
	case text == "":
	case err != nil || u.Hostname() == "":
		o.reader.Mistake(o.pos(name), "%s is no %s", text, strictyaml.Word(o.reader.Language.Text(keys.AddressForm)))
		return key.Default
	case mindbox.OwnPath(text):
		wholeAddress(o.reader.Mistake(o.pos(name), "the address of an operation stands here, and Touchbox makes that itself"), text)
		return key.Default
	case strings.Contains(u.Host+u.Opaque, "@") || u.User != nil:
		o.reader.Mistake(o.pos(name), "a user or a password stands in the address").
			Hint("leave them out; a key that the host asks for goes into headers or query as {env: NAME}")
		return key.Default
	}
	return strings.TrimRight(text, "/")
}

// plainName is what a name of Mindbox's looks like in an address; nothing else of an address is quoted.
var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{0,99}$`)

// wholeAddress says which parts of an operation's whole address go where.
func wholeAddress(m strictyaml.Note, address string) {
	endpoint, operation := "...", "..."
	if u, err := url.Parse(address); err == nil {
		if v := u.Query().Get("endpointId"); plainName.MatchString(v) {
			endpoint = v
		}
		if v := u.Query().Get("operation"); plainName.MatchString(v) {
			operation = v
		}
	}
	m.Hint("the address ends behind the host; then endpoint: %s, and in the link operation: %s", strictyaml.Word(endpoint), strictyaml.Word(operation))
}

// choice reads one of some words.
func (o object) choice(name string) string { return o.choiceOr(name, o.section.Key(name).Default) }

// choiceOr reads one of some words whose default depends on other keys.
func (o object) choiceOr(name, def string) string {
	key, at, text := o.written(name)
	if text == "" {
		return def
	}
	if !slices.Contains(key.Choices, text) {
		options := append([]string{def}, slices.DeleteFunc(slices.Clone(key.Choices), func(c string) bool { return c == def })...)
		o.reader.Mistake(at, "%s is not possible here: %s", text, strictyaml.Words(options)).Suggest(text, options)
		return def
	}
	return text
}

// flag reads true or false.
func (o object) flag(name string) bool {
	key, at, text := o.written(name)
	switch text {
	case "true", "false":
		return text == "true"
	case "":
	default:
		o.reader.Mistake(at, "%s is neither true nor false", text)
	}
	return key.Default == "true"
}

// duration reads 30s, 15m, 72h, 10d.
func (o object) duration(name string) time.Duration {
	key, at, text := o.written(name)
	def, least := key.Durations()
	if text == "" {
		return def
	}
	d, ok := keys.ParseDuration(text)
	switch {
	case !ok:
		o.reader.Mistake(at, "%s is no span of time", text).Hint("a number with its unit: 30s, 15m, 72h, 10d")
		return def
	case d < least:
		o.reader.Mistake(at, "%s is too short: at least %s", text, strictyaml.Word(least.String()))
		return def
	}
	return d
}

// size reads 500MB, 10GB in bytes.
func (o object) size(name string) int64 {
	key, at, text := o.written(name)
	def, least := key.Sizes()
	if text == "" {
		return def
	}
	size, ok := keys.ParseSize(text)
	switch {
	case !ok:
		o.reader.Mistake(at, "%s is no size", text).Hint("a number with its unit: 500MB, 10GB")
		return def
	case size < least:
		o.reader.Mistake(at, "%s is too small: at least %s", text, key.Least)
	}
	return size
}

// rate reads 100/s, 6000/m in requests a second; 0 where there is none.
func (o object) rate(name string) float64 {
	_, at, text := o.written(name)
	if text == "" {
		return 0
	}
	rate, ok := keys.ParseRate(text)
	if !ok {
		o.reader.Mistake(at, "%s is no rate", text).Hint("a number of requests with its span of time: 100/s, 6000/m")
	}
	return rate
}

// nodes reads a key that holds one value or a list.
func (o object) nodes(key string) []*strictyaml.Node {
	n := o.node.Get(key)
	switch {
	case n == nil:
		return nil
	case n.Kind == strictyaml.Sequence:
		if len(n.Items) == 0 {
			o.reader.Mistake(n.Pos, "the list is empty")
		}
		return n.Items
	}
	return []*strictyaml.Node{n}
}

// items reads a key that holds a list of mappings.
func (o object) items(key string) []*strictyaml.Node {
	n := o.node.Get(key)
	if n == nil {
		return nil
	}
	if n.Kind != strictyaml.Sequence {
		o.reader.NotA(n, "a list")
		return nil
	}
	return n.Items
}

// entries reads a key that holds free keys.
func (o object) entries(key string) []strictyaml.Entry {
	n := o.node.Get(key)
	if n == nil {
		return nil
	}
	if n.Kind != strictyaml.Mapping {
		o.reader.NotA(n, "a mapping (key: value)")
		return nil
	}
	return n.Entries
}

// pos is the place of a key's value, or of the mapping where the key is left out.
func (o object) pos(key string) strictyaml.Pos {
	if n := o.node.Get(key); n != nil {
		return n.Pos
	}
	return o.node.Pos
}
