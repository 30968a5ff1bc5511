package link

import (
	"fmt"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/defaults"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// loader reads one file from top to bottom: what links refer to first, links last.
type loader struct {
	*strictyaml.Reader
	options    Options
	dir        string // where relative paths of secrets begin
	file       *File
	names      *expression.Names
	conditions map[string]*strictyaml.Node // as they stand in the file
	tables     map[string]*strictyaml.Node
	templates  map[string]destinationTemplates // by the destination's name
	root       object
}

// mostNamed bounds the entries of a section: far above any real file, and what each of them is
// compared with the others does not take minutes.
const mostNamed = 1000

// few are the first entries of a section, with a mistake where there are too many.
func few[T any](l *loader, all []T, section string) []T {
	if len(all) <= mostNamed {
		return all
	}
	l.Mistake(l.root.pos(section), "there are more than %d entries in %s", mostNamed, section)
	return all[:mostNamed]
}

// read reads the whole document.
func (l *loader) read(n *strictyaml.Node) {
	root, ok := l.object(n, &keys.File)
	if !ok {
		return
	}
	l.root = root
	l.readSites()
	l.readDestinations()
	l.readKeep()
	l.readTables()
	l.readConditions()
	l.readLinks()
	l.readConsole()
	if len(l.root.items("links")) == 0 {
		l.Warn(l.root.pos("links"), "there are no links: nothing will be sent")
	}
}

func (l *loader) readSites() {
	items := few(l, l.root.items("calltouch"), "calltouch")
	if n := l.root.node.Get("calltouch"); n != nil && n.Kind == strictyaml.Sequence && len(items) == 0 {
		l.Mistake(n.Pos, "the list is empty")
	}
	for _, n := range items {
		if s, o, ok := l.readSite(n); ok {
			l.addSite(s, o)
		}
	}
}

func (l *loader) addSite(s *Site, o object) {
	for _, other := range l.file.Sites {
		if s.ID != "" && s.ID == other.ID {
			l.Mistake(o.pos("site"), "site %s stands here a second time", s.ID)
		}
		if s.Name != "" && s.Name == other.Name {
			l.Mistake(o.pos("name"), "the name %s stands here a second time", s.Name)
		}
		if s.Key.shares(other.Key) {
			l.Warn(o.pos("key"), "the sites %s and %s have one key: who knows the address of one knows the other's", strictyaml.Word(other.Name), strictyaml.Word(s.Name)).
				Hint("give each site a key of its own, as `touchbox init` makes one")
		}
	}
	l.file.Sites = append(l.file.Sites, s)
}

func (l *loader) readSite(n *strictyaml.Node) (*Site, object, bool) {
	o, ok := l.object(n, &keys.Site)
	if !ok {
		return nil, o, false
	}
	s := &Site{}
	s.ID = o.word("site")
	s.Name = o.text("name")
	if s.Key = l.secret(o, "key", CalltouchSide); s.Key.Set() {
		s.HookKeys = s.Key.Values
	}
	s.Counter = o.word("counter")
	if s.Token = l.secret(o, "token", CalltouchSide); s.Token.Set() {
		s.APIToken = s.Token.Value
	}
	l.checkSecret(s.Token, o, "token")
	s.API = o.address("api")
	s.Location = l.location(o)
	s.Attribution = o.choice("attribution")
	s.TenDigits = o.word("tenDigits")
	s.Device = o.text("device")
	s.Attrs = l.readAttrs(o, s.Device)
	s.Requests = l.readRequests(o, s.Token.Set())
	s.Journal = l.readJournal(o)
	if script, ok := l.sub(o, "script"); ok {
		s.Script.Consent = script.text("consent")
	}
	l.checkKey(s, o)
	if host, open := unencrypted(s.API); open {
		l.Warn(o.pos("api"), "the token and the list of calls would go unencrypted to %s", strictyaml.Word(host)).Code("https://")
	}
	return s, o, true
}

// defaultDevice is the device's attribute where there is no site to ask.
const defaultDevice = defaults.Device

func (l *loader) location(o object) *time.Location {
	name := o.text("timezone")
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		l.Mistake(o.pos("timezone"), "%s is no time zone", name).Hint("an IANA name, as in Europe/Moscow, Asia/Yekaterinburg")
		return time.UTC
	}
	return zone
}

// readAttrs reads the declared attributes with the device's among them. Two that differ by case and
// separators only could not be told apart when they come.
func (l *loader) readAttrs(o object, device string) []string {
	attrs := []string{device}
	if n := o.node.Get("attrs"); n != nil && n.Kind != strictyaml.Sequence {
		l.NotA(n, "a list")
		return attrs
	}
	for _, n := range o.items("attrs") {
		name, ok := l.ScalarText(n)
		if !ok {
			continue
		}
		warnOfAlphabets(l.Reader, n.Pos, name)
		if name == device {
			continue
		}
		for _, other := range attrs {
			if strictyaml.Fold(other) == strictyaml.Fold(name) {
				l.Mistake(n.Pos, "the attributes %s and %s cannot be told apart", other, name)
			}
		}
		attrs = append(attrs, name)
	}
	return attrs
}

func (l *loader) readRequests(o object, polled bool) calltouch.Requests {
	sub, _ := l.sub(o, "requests")
	source := calltouch.RequestsFromHook
	if polled {
		source = calltouch.RequestsFromPoll
	}
	r := calltouch.Requests{
		From:  sub.choiceOr("from", source),
		Every: sub.duration("every"),
		Sweep: sub.duration("sweep"),
		Grace: sub.duration("grace"),
	}
	if r.From == calltouch.RequestsFromPoll && !polled {
		l.Mistake(sub.pos("from"), "requests are to be polled, and the site has no token").
			Hint("give the site its API token, or write from: hook")
	}
	return r
}

func (l *loader) readJournal(o object) calltouch.Journal {
	sub, ok := l.sub(o, "journal")
	if !ok {
		return calltouch.Journal{}
	}
	return calltouch.Journal{Every: sub.duration("every"), Sweep: sub.duration("sweep"), Grace: sub.duration("grace")}
}

const day = 24 * time.Hour

// leastKey is the shortest key that guessing over the internet never finds: a right key is compared
// however many wrong ones came.
const leastKey = 16

// checkKey refuses a key that cannot stand in an address, and one that can be guessed.
func (l *loader) checkKey(s *Site, o object) {
	for _, key := range s.Key.Values() {
		switch {
		case strings.Contains(key, "://"):
			l.Mistake(o.pos("key"), "the whole address stands here").Hint("what stands behind its last / alone")
		case strings.ContainsFunc(key, func(c rune) bool { return !strings.ContainsRune(urlSafe, c) }):
			l.Mistake(o.pos("key"), "the key must be of letters, digits, - and _: it is part of an address")
		case len(key) < leastKey:
			l.Mistake(o.pos("key"), "the key has only %d characters and can be guessed", len(key)).
				Hint("16 or more, as `touchbox init` makes one; enter the new address in Calltouch")
		}
	}
}

const urlSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

func (l *loader) readKeep() {
	sub, ok := l.sub(l.root, "keep")
	if !ok {
		return
	}
	k := Keep{
		Events:      sub.duration("events"),
		History:     sub.duration("history"),
		DeadLetters: sub.duration("deadletters"),
		Audit:       sub.duration("audit"),
		Disk:        sub.size("disk"),
	}
	l.file.Keep = k
	for _, s := range l.file.Sites {
		if sweep := max(s.Requests.Sweep, s.Journal.Sweep); k.Events <= sweep {
			l.Mistake(sub.pos("events"), "events must be kept longer than the longest sweep (%s: %s)", s.Name, days(sweep)).
				Hint("else a sweep would bring back what was deleted")
		}
	}
	if k.History != 0 && k.History < k.Events {
		l.Mistake(sub.pos("history"), "history must be kept at least as long as events (%s), or not at all (0d)", days(k.Events))
	}
}

// days prints a span in the file's own words.
func days(d time.Duration) string {
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}
