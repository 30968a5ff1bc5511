package link

import (
	"path/filepath"
)

// secret reads {env: NAME}, {file: path}, a text, or a list of two of them.
func (l *loader) secret(o object, key string) Secret {
	n := o.node.get(key)
	if n == nil {
		return Secret{}
	}
	list := []*node{n}
	if n.kind == sequence {
		list = n.items
		if len(list) == 0 || len(list) > 2 {
			l.mistake(n.pos, "a secret has one value, or two while one replaces the other")
			return Secret{}
		}
	}
	var s Secret
	for _, one := range list {
		if source, ok := l.secretSource(one); ok {
			s.sources = append(s.sources, source)
		}
	}
	return s
}

func (l *loader) secretSource(n *node) (secretSource, bool) {
	if n.kind != mapping {
		text, ok := l.scalarText(n)
		return secretSource{text: text}, ok
	}
	if len(n.entries) != 1 {
		l.mistake(n.pos, "a secret is {env: NAME}, {file: path} or a text")
		return secretSource{}, false
	}
	e := n.entries[0]
	value, ok := l.scalarText(e.value)
	if !ok {
		return secretSource{}, false
	}
	switch e.key {
	case "env":
		return l.fromEnv(e.value.pos, value)
	case "file":
		return l.fromFile(e.value.pos, value)
	}
	l.mistake(e.pos, "unknown key %s in %s", e.key, "secret").suggest(e.key, []string{"env", "file"})
	return secretSource{}, false
}

func (l *loader) fromEnv(at Pos, name string) (secretSource, bool) {
	if l.options.Getenv != nil {
		if v := l.options.Getenv(name); v != "" {
			return secretSource{text: v}, true
		}
	}
	return secretSource{}, l.absent(at, "the environment variable %s is not set", name)
}

func (l *loader) fromFile(at Pos, path string) (secretSource, bool) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.dir, path)
	}
	v, err := readSecretFile(path)
	switch {
	case err != nil:
		return secretSource{file: path}, l.absent(at, "the file of the secret cannot be read: %s", path)
	case v == "":
		return secretSource{file: path}, l.absent(at, "the file of the secret is empty: %s", path)
	}
	return secretSource{file: path}, true
}

// absent reports a secret that is not there: a warning where nothing will be sent. It returns
// whether the secret counts as set.
func (l *loader) absent(at Pos, format string, args ...any) bool {
	l.report(at, l.options.Lenient, l.lang.Sprintf(format, args...))
	return true
}
