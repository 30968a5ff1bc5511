package link

import (
	"strings"
	"time"
)

// loader reads one file from top to bottom: what links refer to first, links last.
type loader struct {
	*reader
	options    Options
	dir        string // where relative paths of secrets begin
	file       *File
	conditions map[string]*condition
	tables     map[string]*table
	templates  map[string]destinationTemplates // by the destination's name
	root       object
}

// file reads the whole document.
func (l *loader) read(n *node) {
	root, ok := l.object(n, rootSection())
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
	if len(l.root.items("links")) == 0 {
		l.warn(n.pos, "there are no links: nothing will be sent")
	}
}

func (l *loader) readSites() {
	items := l.root.items("calltouch")
	if n := l.root.node.get("calltouch"); n != nil && n.kind == sequence && len(items) == 0 {
		l.mistake(n.pos, "the list is empty")
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
			l.mistake(o.pos("site"), "site %s stands here a second time", s.ID)
		}
		if s.Name != "" && s.Name == other.Name {
			l.mistake(o.pos("name"), "the name %s stands here a second time", s.Name)
		}
	}
	l.file.Sites = append(l.file.Sites, s)
}

func (l *loader) readSite(n *node) (*Site, object, bool) {
	o, ok := l.object(n, siteSection())
	if !ok {
		return nil, o, false
	}
	s := &Site{
		ID:          o.matching("site", sitePattern, "", "number of a site"),
		Name:        o.text("name", ""),
		Key:         l.secret(o, "key"),
		Counter:     o.matching("counter", counterPattern, "", "counter (modId)"),
		Token:       l.secret(o, "token"),
		API:         l.url(o, "api", "https://api.calltouch.ru"),
		Location:    l.location(o),
		Attribution: o.choice("attribution", "last-non-direct", "last"),
		TenDigits:   o.matching("tenDigits", countryPattern, "", "country code"),
		Device:      o.text("device", defaultDevice),
	}
	s.Attrs = l.readAttrs(o, s.Device)
	s.Requests = l.readRequests(o, s.Token.Set())
	s.Journal = l.readJournal(o)
	if script, ok := l.sub(o, "script", scriptSection()); ok {
		s.Script.Consent = script.text("consent", "")
	}
	l.checkKey(s, o)
	return s, o, true
}

const (
	defaultDevice     = "mindboxDeviceUUID"
	defaultTimeFormat = "yyyy-MM-dd HH:mm:ss.fff"
)

// sub reads a mapping inside a mapping; a left-out one reads as empty.
func (l *loader) sub(o object, key string, s section) (object, bool) {
	n := o.node.get(key)
	if n == nil {
		n = &node{kind: mapping, pos: o.node.pos}
	}
	return l.object(n, s)
}

func (l *loader) location(o object) *time.Location {
	name := o.text("timezone", "Europe/Moscow")
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		l.mistake(o.pos("timezone"), "%s is no time zone", name).hint("an IANA name, as in Europe/Moscow, Asia/Yekaterinburg")
		return time.UTC
	}
	return zone
}

// readAttrs reads the declared attributes with the device's among them. Two that differ by case and
// separators only could not be told apart when they come.
func (l *loader) readAttrs(o object, device string) []string {
	attrs := []string{device}
	if n := o.node.get("attrs"); n != nil && n.kind != sequence {
		l.notA(n, "a list")
		return attrs
	}
	for _, n := range o.items("attrs") {
		name, ok := l.scalarText(n)
		if !ok || name == device {
			continue
		}
		for _, other := range attrs {
			if fold(other) == fold(name) {
				l.mistake(n.pos, "the attributes %s and %s cannot be told apart", other, name)
			}
		}
		attrs = append(attrs, name)
	}
	return attrs
}

func (l *loader) readRequests(o object, polled bool) Requests {
	sub, ok := l.sub(o, "requests", requestsSection())
	if !ok {
		return Requests{From: FromHook, Every: time.Minute, Sweep: 10 * day, Grace: 15 * time.Minute}
	}
	words := []string{FromHook, FromPoll}
	if polled {
		words = []string{FromPoll, FromHook}
	}
	r := Requests{
		From:  sub.choice("from", words...),
		Every: sub.duration("every", time.Minute, time.Second),
		Sweep: sub.duration("sweep", 10*day, time.Second),
		Grace: sub.duration("grace", 15*time.Minute, 0),
	}
	if r.From == FromPoll && !polled {
		l.mistake(sub.pos("from"), "requests are to be polled, and the site has no token").
			hint("give the site its API token, or write from: hook")
	}
	return r
}

func (l *loader) readJournal(o object) Journal {
	sub, _ := l.sub(o, "journal", journalSection())
	if sub.node == nil {
		return Journal{}
	}
	return Journal{
		Every: sub.duration("every", 15*time.Minute, time.Second),
		Sweep: sub.duration("sweep", 10*day, time.Second),
		Grace: sub.duration("grace", 15*time.Minute, 0),
	}
}

const day = 24 * time.Hour

// checkKey refuses a key that cannot stand in an address and warns of one that can be guessed.
func (l *loader) checkKey(s *Site, o object) {
	for _, key := range s.Key.Values() {
		switch {
		case strings.ContainsFunc(key, func(c rune) bool { return !strings.ContainsRune(urlSafe, c) }):
			l.mistake(o.pos("key"), "the key must be of letters, digits, - and _: it is part of an address")
		case len(key) < 16:
			l.warn(o.pos("key"), "the key has only %d characters and can be guessed", len(key)).hint("16 or more")
		}
	}
}

const urlSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// url reads an address without its trailing slash.
func (l *loader) url(o object, key, def string) string {
	u := o.matching(key, urlPattern, def, "address (https://...)")
	return strings.TrimRight(u, "/")
}
