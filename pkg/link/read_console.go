package link

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"time"

	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// Console says who may sign in to the web console.
type Console struct {
	People  []Person
	Session time.Duration // how long a session lasts in which nothing is done
}

// Person is who may sign in to the console, or a program with a key for its API.
type Person struct {
	Name    string
	Role    string // keys.RoleSee, keys.RoleAct or keys.RoleAdmin
	Reveal  bool   // may see personal data, one event at a time
	Program bool   // a program: the key opens the API alone
	Key     AccessKey
}

// AccessKey is the key of a person, of which the file has the hash, or says where the key stands.
type AccessKey struct {
	hash  [sha256.Size]byte
	plain func() string // nil where the file has the hash
}

// Hash is the SHA-256 of the key as it stands now; false where its variable or file has none.
func (k AccessKey) Hash() (hash [sha256.Size]byte, ok bool) {
	if k.plain == nil {
		return k.hash, k.hash != [sha256.Size]byte{}
	}
	text := k.plain()
	return sha256.Sum256([]byte(text)), text != ""
}

// readConsole reads who may sign in. The values of variables and files are none of the other processes' business,
// so it is no mistake where they are missing: such a key opens nothing, and the console says so.
func (l *loader) readConsole() {
	sub, ok := l.sub(l.root, "console")
	if !ok {
		return
	}
	l.file.Console.Session = sub.duration("session")
	for _, n := range few(l, sub.items("people"), "console") {
		o, ok := l.object(n, &keys.Person)
		if !ok {
			continue
		}
		p := Person{Name: o.text("name"), Role: o.choice("role"), Reveal: o.flag("reveal"), Program: o.flag("program"), Key: l.accessKey(o)}
		for _, other := range l.file.Console.People {
			if p.Name != "" && p.Name == other.Name {
				l.Mistake(o.pos("name"), "the name %s stands here a second time", p.Name)
			}
		}
		l.file.Console.People = append(l.file.Console.People, p)
	}
}

// accessKey reads {sha256: hash}, {env: NAME} or {file: path}. A key in plain text is refused: who reads the file
// would have it.
func (l *loader) accessKey(o object) AccessKey {
	n := o.node.Get("key")
	if n == nil {
		return AccessKey{}
	}
	if n.Kind != strictyaml.Mapping || len(n.Entries) != 1 {
		l.Mistake(n.Pos, "a person's key is {sha256: hash}, {env: NAME} or {file: path}").Hint("`touchbox console key` makes a key and its hash")
		return AccessKey{}
	}
	e := n.Entries[0]
	value, ok := l.ScalarText(e.Value)
	if !ok {
		return AccessKey{}
	}
	switch e.Key {
	case "sha256":
		return l.hashOf(e.Value.Pos, value)
	case "env":
		return AccessKey{plain: func() string {
			if l.options.Getenv == nil {
				return ""
			}
			return l.options.Getenv(value)
		}}
	case "file":
		if !filepath.IsAbs(value) {
			value = filepath.Join(l.dir, value)
		}
		return AccessKey{plain: secretSource{file: value}.read}
	}
	l.Mistake(e.Pos, "unknown key %s in %s", e.Key, strictyaml.Word("key")).Suggest(e.Key, []string{"sha256", "env", "file"})
	return AccessKey{}
}

func (l *loader) hashOf(at strictyaml.Pos, text string) AccessKey {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		l.Mistake(at, "the hash of a key is 64 hexadecimal digits").Hint("`touchbox console key` makes a key and its hash")
		return AccessKey{}
	}
	return AccessKey{hash: [sha256.Size]byte(raw)}
}
