package link

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// Secret is a key or token: a text, an environment variable, a file, or two of these while one
// replaces the other. The zero value is unset. It prints as ***.
type Secret struct{ sources []secretSource }

type secretSource struct {
	text string // the value itself; from an environment variable too
	env  string // the variable that it came from
	file string // read anew each time
}

// Set reports whether the file names a secret.
func (s Secret) Set() bool { return len(s.sources) > 0 }

// Written reports whether the secret stands in the file itself, so that who reads the file has it.
func (s Secret) Written() bool {
	return slices.ContainsFunc(s.sources, func(source secretSource) bool { return source.env == "" && source.file == "" })
}

// Files names the files that the secret is read from.
func (s Secret) Files() []string {
	var names []string
	for _, source := range s.sources {
		if source.file != "" {
			names = append(names, source.file)
		}
	}
	return names
}

// Values reads the secret as it stands now. A file that cannot be read counts as none.
func (s Secret) Values() []string {
	var values []string
	for _, source := range s.sources {
		if v := source.read(); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// Value is the first of Values, or "".
func (s Secret) Value() string {
	for _, source := range s.sources {
		if v := source.read(); v != "" {
			return v
		}
	}
	return ""
}

// Missing says what of a secret that has no value here is wanting, its variables and files: "" when it has one.
func (s Secret) Missing(l lang.Language) string {
	if !s.Set() || s.Value() != "" {
		return ""
	}
	var wanting []string
	for _, source := range s.sources {
		wanting = append(wanting, source.wanting(l))
	}
	return strings.Join(wanting, ", ")
}

// wanting says why a source has no value here.
func (s secretSource) wanting(l lang.Language) string {
	switch {
	case s.env != "":
		return l.Sprintf("the variable %s is not set here", s.env)
	case s.file == "":
		return l.Sprintf("its text is empty")
	}
	_, err := readSecretFile(s.file)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return l.Sprintf("this user may not read the file %s", s.file)
	case err != nil:
		return l.Sprintf("the file %s cannot be read", s.file)
	}
	return l.Sprintf("the file %s is empty", s.file)
}

// MissingSecrets says what is wanting of the secrets that a delivery of the link needs: "" when all have a value here.
func (l *Link) MissingSecrets(in lang.Language) string {
	missing := []string{l.To.Secret.Missing(in)}
	for _, n := range slices.Concat(l.variants[0].headers, l.variants[0].query) {
		missing = append(missing, n.secret.Missing(in))
	}
	return strings.Join(slices.DeleteFunc(missing, func(text string) bool { return text == "" }), ", ")
}

// shares reports whether two secrets have a value in common, or a source of one.
func (s Secret) shares(other Secret) bool {
	return slices.ContainsFunc(s.sources, func(a secretSource) bool {
		return slices.ContainsFunc(other.sources, func(b secretSource) bool {
			value := a.read()
			return value != "" && value == b.read() || a.env != "" && a.env == b.env || a.file != "" && a.file == b.file
		})
	})
}

func (s secretSource) read() string {
	if s.file == "" {
		return s.text
	}
	v, err := readSecretFile(s.file)
	if err != nil {
		return ""
	}
	return v
}

// maxSecretFile bounds the file of a secret, in bytes: keys have some dozens.
const maxSecretFile = 64 << 10

var errNoSecretFile = errors.New("no file of a secret")

// readSecretFile drops the line break that editors and `echo` leave, and blanks around: no key has any. It is called for each hook and each attempt: a pipe would
// hold them up until somebody writes into it, and a device may have no end.
func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxSecretFile) {
		err = errNoSecretFile
	}
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}

// String hides the secret.
func (s Secret) String() string {
	if !s.Set() {
		return ""
	}
	return show.Hidden
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Side is one of the two ends, by whose secrets a process may be told apart.
type Side int

// The sides whose secrets a process may do without.
const (
	Neither       Side = iota
	CalltouchSide      // keys of webhooks, API tokens
	MindboxSide        // secrets, and what headers and query parameters hold of them
)

// secretPlaces says where in touchbox.yaml secrets may stand, by the table of its keys.
func secretPlaces() strictyaml.Secrets {
	var places strictyaml.Secrets
	for _, k := range keys.File.Keys {
		if k.Of != nil && k.Of.HoldsSecrets() {
			collectSecrets(&places, k.Of)
		} else {
			places.Open = append(places.Open, k.Name)
		}
	}
	return places
}

func collectSecrets(places *strictyaml.Secrets, s *keys.Section) {
	for _, k := range s.Keys {
		switch {
		case k.Secret:
			places.Keys = append(places.Keys, k.Name)
		default:
			places.Plain = append(places.Plain, k.Name)
		}
		if k.Of != nil {
			collectSecrets(places, k.Of)
		}
	}
}

// secret reads {env: NAME}, {file: path}, a text, or a list of two of them.
func (l *loader) secret(o object, key string, side Side) Secret {
	n := o.node.Get(key)
	if n == nil {
		return Secret{}
	}
	list := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Sequence {
		list = n.Items
		if len(list) == 0 || len(list) > 2 {
			l.Mistake(n.Pos, "a secret has one value, or two while one replaces the other")
			return Secret{}
		}
	}
	var s Secret
	for _, one := range list {
		source, ok := l.secretSource(one, side)
		if !ok {
			continue
		}
		if value := source.read(); value != "" && utf8.RuneCountInString(value) < leastSecret {
			l.Mistake(one.Pos, "a secret has at least %d characters", leastSecret)
		}
		s.sources = append(s.sources, source)
	}
	return s
}

// leastSecret is how long a secret is at least, in characters. No cabinet gives a shorter one, and wherever a secret is hidden in a text,
// a letter or two would be hidden in every word.
const leastSecret = 4

func (l *loader) secretSource(n *strictyaml.Node, side Side) (secretSource, bool) {
	if n.Kind != strictyaml.Mapping {
		text, ok := l.ScalarText(n)
		if l.without(side) {
			text = ""
		}
		return secretSource{text: text}, ok
	}
	if len(n.Entries) != 1 {
		l.Mistake(n.Pos, "a secret is {env: NAME}, {file: path} or a text")
		return secretSource{}, false
	}
	e := n.Entries[0]
	value, ok := l.ScalarText(e.Value)
	if !ok {
		return secretSource{}, false
	}
	switch e.Key {
	case "env":
		return l.fromEnv(e.Value.Pos, value, side)
	case "file":
		return l.fromFile(e.Value.Pos, value, side)
	}
	l.unknownSource(e)
	return secretSource{}, false
}

// unknownSource reports a misspelt `env` or `file`, and whatever else stands there unquoted: it may
// be the secret itself.
func (l *loader) unknownSource(e strictyaml.Entry) {
	sources := []string{"env", "file"}
	var name any = e.Key
	if strictyaml.Nearest(e.Key, sources) != "" {
		name = strictyaml.Word(e.Key)
	}
	l.Mistake(e.Pos, "unknown key %s in %s", name, strictyaml.Word("secret")).Suggest(e.Key, sources)
}

// without reports whether the secrets of a side are none of this process's business. They count as set,
// and are empty.
func (l *loader) without(side Side) bool { return side != Neither && side == l.options.Without }

// variableName is what a secret that was put in the place of its variable's name hardly is.
var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

func (l *loader) fromEnv(at strictyaml.Pos, name string, side Side) (secretSource, bool) {
	source := secretSource{env: name}
	if l.without(side) {
		return source, true
	}
	if l.options.Getenv != nil {
		source.text = strings.TrimSpace(l.options.Getenv(name)) // one of blanks alone is not set, as with every variable
	}
	if source.text != "" {
		return source, true
	}
	if !variableName.MatchString(name) {
		l.absent(at, "the environment variable %s is not set", name).
			Hint("env: takes the name of a variable, as in %s", strictyaml.Word("{env: MINDBOX_SECRET}"))
		return source, true
	}
	l.absent(at, "the environment variable %s is not set", strictyaml.Word(name))
	return source, true
}

func (l *loader) fromFile(at strictyaml.Pos, path string, side Side) (secretSource, bool) {
	shown := path
	if !strings.ContainsAny(path, "/.") {
		shown = show.Hidden // no usual path: rather the secret itself
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.dir, path)
	}
	if shown != show.Hidden {
		shown = path
	}
	source := secretSource{file: path}
	if l.without(side) {
		return source, true
	}
	v, err := readSecretFile(path)
	switch {
	case err != nil:
		l.absent(at, "the file of the secret cannot be read: %s", strictyaml.Word(shown))
	case v == "":
		l.absent(at, "the file of the secret is empty: %s", strictyaml.Word(shown))
	}
	return source, true
}

// absent reports a secret that is not there, by the name of its variable or file: a warning where
// nothing will be sent. The secret counts as set all the same.
func (l *loader) absent(at strictyaml.Pos, format string, name any) strictyaml.Note {
	if l.options.Lenient {
		return l.Warn(at, format, name)
	}
	return l.Mistake(at, format, name)
}
