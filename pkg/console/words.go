package console

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// word is how something of a closed list is shown: never by its colour alone.
type word struct {
	Sign  string
	Text  string // in English, with a Russian twin
	Class string // of the stylesheet: good, bad, wait, quiet
}

// outcomeWords are the words for what became of an event.
var outcomeWords = map[event.Outcome]word{
	event.Delivered:     {"✓", "delivered", "good"},
	event.Filtered:      {"─", "did not meet the conditions", "quiet"},
	event.Undeliverable: {"◌", "data is missing", "wait"},
	event.Waiting:       {"◔", "waiting", "wait"},
	event.Dead:          {"✖", "not delivered", "bad"},
	event.Shadow:        {"◍", "trial mode", "quiet"},
	event.Untaken:       {"·", "not taken", "quiet"},
	event.Erased:        {"∅", "erased", "quiet"},
	event.Abandoned:     {"✖", "lost", "bad"},
	event.Dropped:       {"⊘", "dropped", "quiet"},
}

// stateWords are the words for how a link stands.
var stateWords = map[string]word{
	admin.StateRunning: {"●", "running", "good"},
	admin.StateStopped: {"○", "stopped", "bad"},
	admin.StateParked:  {"◐", "paused: waiting for Mindbox", "wait"},
	admin.StateShadow:  {"◍", "trial mode", "quiet"},
	admin.StateGone:    {"○", "not in the file", "wait"},
	admin.StateNew:     {"○", "not started yet", "quiet"},
	admin.StateUnwell:  {"✖", "the queue is unwell", "bad"},
}

// originWords say by which way an event came.
var originWords = map[event.Origin]string{
	event.Webhook: "by webhook", event.Poll: "from the list of form requests", event.Journal: "from the journal of calls", event.Backfill: "by a backfill",
}

// functions are what templates may call, in one language.
func (c *Console) functions(l lang.Language) template.FuncMap {
	return template.FuncMap{
		"t":    func(format string, args ...any) any { return withCode(l.Sprintf(format, args...)) },
		"rich": withCode,
		"last": func(at any) template.HTML { return cmp.Or(c.when(l, at, false), "—") },
		"u": func(path string, args ...any) string {
			return c.prefix + "/" + strings.TrimLeft(fmt.Sprintf(path, args...), "/\\")
		},
		"q":          url.QueryEscape,
		"path":       url.PathEscape,
		"when":       func(at any) template.HTML { return c.when(l, at, false) },
		"clock":      func(at any) template.HTML { return c.when(l, at, true) },
		"came":       func(last map[event.Origin]time.Time, by string) time.Time { return last[event.Origin(by)] },
		"num":        func(n any) string { return number(l, n) },
		"outcome":    func(o event.Outcome) word { return inWords(l, outcomeWords[o], string(o)) },
		"state":      func(s string) word { return inWords(l, stateWords[s], s) },
		"origin":     func(o event.Origin) string { return orItself(l, originWords[o], string(o)) },
		"kind":       func(k event.Kind) string { return l.Text(admin.KindWord(string(k))) },
		"kindOf":     func(dotted string) string { return l.Text(admin.KindWord(dotted)) },
		"stream":     func(name string) string { return orItself(l, streamWords[name], name) },
		"hint":       func(reason string) string { return orItself(l, admin.ReasonHints[reason], "") },
		"detail":     func(raw json.RawMessage) string { return detailLine(l, raw) },
		"once":       rand.Text,
		"pace":       func(p float64) string { return decimal(l, p) },
		"bytes":      func(n any) string { return size(l, n) },
		"day":        func(at time.Time) string { return day(l, at.In(c.Zone())) },
		"told":       func(values []admin.Value, main bool) []valueView { return told(l, values, main) },
		"named":      func(names []string) []valueView { return fieldsNamed(l, names) },
		"keptBack":   keptBack,
		"became":     became,
		"legend":     func() []word { return legend(l, span{Good: 1, Bad: 1, Wait: 1}) },
		"newest":     newest,
		"today":      c.today,
		"siteName":   c.siteName,
		"stands":     c.stands,
		"parts":      parts,
		"verbs":      func() []string { return verbs },
		"add":        func(x, y uint64) uint64 { return x + y },
		"on":         func(on string) string { return c.audited(l).On(on) },
		"who":        func(name string) string { return c.audited(l).Who(name) },
		"problem":    func(j admin.Job) string { return c.audited(l).Problem(j) },
		"by":         func(by string) string { return orItself(l, byWords[by], by) },
		"span":       func(d time.Duration) string { return spanText(l, d) },
		"zone":       func() string { return zoneText(c.Now().In(c.Zone())) },
		"lastDay":    func(link string) chart { return c.lastDay(l, link) },
		"percent":    func(share float64) string { return fmt.Sprintf("%.0f\u202f%%", 100*share) },
		"dict":       dict,
		"roleOf":     func(role string) string { return orItself(l, roleWords[Role(role)], role) },
		"verb":       func(verb string) string { return l.Text(admin.VerbWord(verb)) },
		"replayPath": func(link, key string, o event.Outcome) string { return c.prefix + replayPath(link, key, o) },
		"replayable": func(o event.Outcome) bool { return slices.Contains(replayable, o) },
		"reason":     func(r string) string { return l.Text(admin.ReasonWord(r)) },
		"because":    func(state, why string) string { return because(l, state, why) },
		"note":       func(n string) string { return l.Text(admin.NoteWord(n)) },
		"role":       func(r Role) string { return orItself(l, roleWords[r], string(r)) },
	}
}

// audited says what the audit and jobs store in codes.
func (c *Console) audited(l lang.Language) admin.Words {
	return admin.Words{Speaker: l, When: func(at time.Time) string { return l.Moment(at.In(c.Zone()), c.Now()) }}
}

// withCode is a text whose parts between backticks are code. What has none stays a text.
func withCode(text string) any {
	parts := strings.Split(text, "`")
	if len(parts)%2 == 0 || len(parts) == 1 { // one that nothing ends is a sign like others
		return text
	}
	for i, part := range parts {
		if parts[i] = template.HTMLEscapeString(part); i%2 == 1 {
			parts[i] = "<code>" + parts[i] + "</code>"
		}
	}
	return template.HTML(strings.Join(parts, ""))
}

// inWords is a word in a language; what the table does not know is shown as it is.
func inWords(l lang.Language, w word, plain string) word {
	w.Text = orItself(l, w.Text, plain)
	return w
}

func orItself(l lang.Language, text, plain string) string {
	if text == "" {
		return plain
	}
	return l.Text(text)
}

// when is a moment in the zone of the site, with its UTC for who points at it: today the time alone.
func (c *Console) when(l lang.Language, at any, timeOnly bool) template.HTML {
	moment, ok := at.(time.Time)
	if pointer, is := at.(*time.Time); is && pointer != nil {
		moment, ok = *pointer, true
	}
	if !ok || moment.IsZero() {
		return ""
	}
	local, now := moment.In(c.Zone()), c.Now().In(c.Zone())
	layout := "02.01.2006 15:04:05"
	if l == lang.English {
		layout = "2006-01-02 15:04:05"
	}
	if l == lang.Russian && local.Year() == now.Year() {
		layout = "02.01 15:04:05"
	}
	if timeOnly || local.Format(time.DateOnly) == now.Format(time.DateOnly) {
		layout = time.TimeOnly
	}
	utc := moment.UTC().Format(time.RFC3339)
	return template.HTML(`<time datetime="` + utc + `" title="` + moment.UTC().Format("2006-01-02 15:04:05 UTC") + `">` + local.Format(layout) + `</time>`)
}

// day is a date.
func day(l lang.Language, at time.Time) string {
	if l == lang.English {
		return at.Format(time.DateOnly)
	}
	return at.Format("02.01.2006")
}

// number writes a count, in Russian and English with a narrow blank between the thousands.
func number(_ lang.Language, n any) string {
	text := fmt.Sprint(n)
	whole, err := strconv.ParseInt(text, 10, 64)
	if err != nil || whole < 10_000 {
		return text
	}
	var groups []string
	const group = 3
	for len(text) > group {
		groups = append([]string{text[len(text)-group:]}, groups...)
		text = text[:len(text)-group]
	}
	return strings.Join(append([]string{text}, groups...), "\u202f")
}

// spanText writes how long something takes, in its two largest units.
func spanText(l lang.Language, d time.Duration) string {
	const day = 24 * time.Hour
	var parts []string
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{day, "%d days"}, {time.Hour, "%d h"}, {time.Minute, "%d min"}, {time.Second, "%d s"}, {time.Millisecond, "%d ms"}} {
		if n := d / unit.of; n > 0 && len(parts) < 2 {
			parts = append(parts, l.Sprintf(unit.name, int(n)))
			d -= n * unit.of
		} else if len(parts) > 0 {
			break
		}
	}
	if len(parts) == 0 {
		return l.Sprintf("%d s", 0)
	}
	return strings.Join(parts, " ")
}

// zoneText names the zone of the times on a page: by the city of its IANA name, and how far it is from UTC.
func zoneText(now time.Time) string {
	name, offset := now.Zone()
	if city := now.Location().String(); city != "Local" {
		name = city
	}
	if name == "UTC" {
		return name
	}
	text := fmt.Sprintf("%s, UTC%+d", name, offset/3600)
	if minutes := now.Format("-07:00")[3:]; minutes != ":00" {
		text += minutes
	}
	return text
}

// siteName is the name of a site in the file, or its number.
func (c *Console) siteName(id string) string {
	if file := c.Admin().File; file != nil {
		if site := file.Site(id); site != nil && site.Name != "" {
			return site.Name
		}
	}
	return id
}

// stands is how a link stands; nil where that is not known.
func (c *Console) stands(link string) *admin.LinkStatus {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	now, err := c.standing.read(ctx, c.Admin())
	i := slices.IndexFunc(now.links, func(l admin.LinkStatus) bool { return l.ID == link })
	if err != nil || i < 0 {
		return nil
	}
	return &now.links[i]
}

// parts are what a key is made of.
func parts(key string) event.Key {
	k, _ := event.ParseKey(key) // of none: nothing
	return k
}

// newest is the last of an event's records for a link; nil where there is none.
func newest(records []admin.RecordView) *admin.RecordView {
	if len(records) == 0 {
		return nil
	}
	return &records[len(records)-1]
}

// size writes bytes in the largest unit that keeps a digit before the point.
func size(l lang.Language, bytes any) string {
	const step = 1000
	n, err := strconv.ParseInt(fmt.Sprint(bytes), 10, 64)
	if err != nil {
		return fmt.Sprint(bytes)
	}
	units := []string{l.Text("bytes"), l.Text("KB"), l.Text("MB"), l.Text("GB"), l.Text("TB")}
	value, i := float64(n), 0
	for value >= step && i < len(units)-1 {
		value, i = value/step, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d\u202f%s", n, units[i])
	}
	return decimal(l, value) + "\u202f" + units[i]
}

// decimal writes a number with one digit behind the point.
func decimal(l lang.Language, n float64) string {
	text := fmt.Sprintf("%.1f", n)
	if l == lang.Russian {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// dict gives a template several values by names.
func dict(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m
}

// because says why a link stands as it does: the reason of a parked one in words, what a person gave for a stop as it is.
func because(l lang.Language, state, why string) string {
	if state != admin.StateParked {
		return why
	}
	code, answer, more := strings.Cut(why, ": ")
	if code = l.Text(admin.ReasonWord(code)); more {
		return code + ": " + answer
	}
	return code
}

// detailLine says what of a record's detail a timeline does not show otherwise.
func detailLine(l lang.Language, raw json.RawMessage) string {
	known, _ := admin.ReadDetail(raw)
	return strings.Join(known.Lines(l), "; ")
}

// replayable are the outcomes of which an event may be sent again without the name of a correction.
var replayable = []event.Outcome{event.Dead, event.Undeliverable, event.Filtered, event.Untaken, event.Abandoned}

// streamWords are the words for the parts of the queue.
var streamWords = map[string]string{
	"events": "Log of events", "retries": "Wait for the next attempt", "deadletters": "Not delivered", "history": "History", "aside": "Set aside", "audit": "Audit",
}

// byWords say by what somebody acted.
var byWords = map[string]string{admin.ByCLI: "by a command", admin.ByConsole: "in the console", admin.ByAPI: "by the API"}

// verbs are what a person may do, as the audit names it, in the order in which they are chosen from.
var verbs = []string{
	admin.VerbReplay, admin.VerbRetriesNow, admin.VerbRetriesCancel, admin.VerbRetriesBack, admin.VerbDrop, admin.VerbAsideTake, admin.VerbBackfill, admin.VerbLinkStop, admin.VerbLinkStart,
	admin.VerbLinkReset, admin.VerbLinkRemove, admin.VerbJobStop, admin.VerbJobContinue, admin.VerbReveal, admin.VerbFindPhone, admin.VerbExport, admin.VerbErase, admin.VerbSend,
	admin.VerbSignIn, admin.VerbSignOut, admin.VerbSignInRefused, admin.VerbSessionEnd, admin.VerbBackup, admin.VerbRestore,
}

// roleWords are the words for roles.
var roleWords = map[Role]string{See: "may look", Act: "may act", Admin: "may do everything"}
