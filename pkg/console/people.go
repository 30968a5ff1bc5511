package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Role is what a person may do. Each role may do what the one before may.
type Role string

// The roles.
const (
	See   Role = "see"   // look, with personal data masked
	Act   Role = "act"   // stop and start links, retry, replay
	Admin Role = "admin" // drop, reset, read the audit
)

var roles = []Role{See, Act, Admin}

// may reports whether who has this role may do what needs another.
func (r Role) may(needs Role) bool {
	return slices.Index(roles, r) >= slices.Index(roles, needs) && slices.Contains(roles, r)
}

// Person is who may sign in.
type Person struct {
	Name    string
	Role    Role
	Reveal  bool // may see personal data, one event at a time
	Program bool // the key opens the API alone
	Hash    [sha256.Size]byte
	NoKey   bool // its variable or file is empty here: Hash opens nothing
}

// tokenName is the name of who signs in with the token of Options.
const tokenName = "ADMIN_TOKEN"

// person finds whose key this is.
func (c *Console) person(key string) (Person, bool) {
	hash := sha256.Sum256([]byte(key))
	found, ok := Person{}, false
	for _, p := range c.all() {
		if subtle.ConstantTimeCompare(hash[:], p.Hash[:]) == 1 && !p.NoKey {
			found, ok = p, true
		}
	}
	return found, ok
}

// named finds a person by the name.
func (c *Console) named(name string) (Person, bool) {
	for _, p := range c.all() {
		if p.Name == name && !p.NoKey {
			return p, true
		}
	}
	return Person{}, false
}

// all are the people of the file, and who has the token.
func (c *Console) all() []Person {
	people := c.People()
	if c.Token != "" {
		people = append(slices.Clip(people), Person{Name: tokenName, Role: Admin, Hash: sha256.Sum256([]byte(c.Token))})
	}
	return people
}

// mostGuesses is how many names are remembered of who has used up some of what they may.
const mostGuesses = 10_000

// guesses bounds how often something may be done under a name: a wrong key from an address, a look at personal data by
// a person.
type guesses struct {
	every time.Duration
	burst int

	mu    sync.Mutex
	rates map[string]*rate.Limiter
}

// newGuesses allows so many in a span.
func newGuesses(span time.Duration, most int) guesses {
	return guesses{every: span / time.Duration(most), burst: most, rates: map[string]*rate.Limiter{}}
}

// may reports whether a name has not used up all that it may.
func (g *guesses) may(name string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.rates[name]
	return one == nil || one.TokensAt(now) >= 1
}

// allow uses up one of what a name may; false where nothing is left.
func (g *guesses) allow(name string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.rates) >= mostGuesses {
		clear(g.rates)
	}
	if g.rates[name] == nil {
		g.rates[name] = rate.NewLimiter(rate.Every(g.every), g.burst)
	}
	return g.rates[name].AllowN(now, 1)
}

// plainKey is a key as it was copied: without the blanks around it.
func plainKey(text string) string { return strings.TrimSpace(text) }
