package spec

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/link/expression"
)

// form is in which form a specification wants a time.
type form struct {
	pattern string // as the second argument of utc() and local() has it; "" where none is named
	unix    int    // units in a second where it is to be Unix time; 0 where it is not
	unread  bool   // a form is named, and not one that is known
	zone    zone   // by whose clock
}

// zone is by whose clock a time is to be told.
type zone string

// The clocks.
const (
	anyZone zone = "" // nobody says
	utc     zone = "UTC"
	moscow  zone = "Moscow"
	local   zone = "local" // the site's
)

// otherZone is a clock that is neither UTC's nor Moscow's: nothing is sure then.
const otherZone zone = "other"

// offset is a clock by its distance from UTC.
var offset = regexp.MustCompile(`(?i)(?:UTC|GMT)\s?([+−–-])\s?(\d{1,2})(?::?(\d\d))?`)

// clocks are the words for each, in the order in which they are looked for.
var clocks = []struct {
	zone  zone
	words *regexp.Regexp
}{
	{moscow, regexp.MustCompile(`(?i)по\s+москве|(?:по\s+|в\s+)?(?:московск\pL*(?:\s+(?:врем|час|пояс)\pL*)*|мск|msk|moscow(?:\s+time)?)`)},
	{local, regexp.MustCompile(`(?i)(?:по\s+|в\s+)?(?:местн|локальн)\pL*\s+врем\pL*|local time`)},
	{utc, regexp.MustCompile(`(?i)UTC|GMT|по гринвичу`)},
}

// zoneIn finds by whose clock a text has a time, and gives the text without these words. UTC stays in it: it is a word of the meanings too.
func zoneIn(text string) (zone, string) {
	if m := offset.FindStringSubmatchIndex(text); m != nil {
		part := func(n int) string { return text[max(m[2*n], 0):max(m[2*n+1], 0)] }
		z := otherZone
		if part(1) == "+" && strings.TrimLeft(part(2), "0") == "3" && strings.Trim(part(3), "0") == "" {
			z = moscow
		}
		return z, text[:m[0]] + text[m[1]:]
	}
	for _, c := range clocks {
		at := bare(c.words, text)
		switch {
		case at == nil:
		case c.zone == utc:
			return utc, text
		default:
			return c.zone, text[:at[0]] + text[at[1]:]
		}
	}
	return anyZone, text
}

var (
	// layout is a form written out in the letters of its units: ДД.ММ.ГГГГ ЧЧ:ММ, YYYY-MM-DDThh:mm:ss.fffZ.
	layout = regexp.MustCompile(unit + `(?:(?:[-./:]|, ?| |'?[TТ]'?)` + unit + `)+(?:[.,][fFSs]{1,9})?(?:'?Z'?|zzz|[+±-][HhЧч]{2}:?[MmМм]{2})?`)

	unixTime  = regexp.MustCompile(`(?i)(?:формат\pL*\s+)?(?:unix|юникс)\pL*(?:[ _-]?(?:time\pL*|stamp|epoch|врем\pL*))*|(?:формат\pL*\s+)timestamp|\bepoch\b`)
	isoTime   = regexp.MustCompile(`(?i)(?:\bв\s+)?(?:формат\pL*\s+)?\b(?:ISO[ -]?8601|RFC[ -]?3339)\b`)
	millis    = regexp.MustCompile(`(?i)миллисек\pL*|мс|millis\pL*|\bms\b`)
	formNamed = regexp.MustCompile(`(?i)(?:\bв\s+)?(?:формат\pL*|format)(?:\s+(?:даты|времени|of|is))*\s*[:=—–-]?\s*`)
)

const (
	unit    = `(?:[YyГг]{4}|[YyГг]{2}|[DdДд]{1,2}|[MmМм]{1,2}|[HhЧч]{1,2}|[SsСс]{1,2})`
	isoForm = "yyyy-MM-ddTHH:mm:ssZ"
)

// formOf finds the form in what is said of a field, and gives the remarks without it. What is the name of a field names no form.
func formOf(remarks []string, name func(string) bool) (form, []string) {
	var f form
	rest := make([]string, 0, len(remarks))
	for _, text := range remarks {
		was := text
		if z, without := zoneIn(text); z != anyZone && !name(text) {
			f.unread = f.unread || z == otherZone || f.zone != anyZone && f.zone != z // of two clocks neither is sure
			f.zone, text = z, without
		}
		switch at := bare(layout, text); {
		case name(text):
		case at != nil:
			f.pattern = pattern(text[at[0]:at[1]])
			text = text[:at[0]] + text[at[1]:]
		case isoTime.MatchString(text):
			f.pattern, text = isoForm, isoTime.ReplaceAllString(text, "")
		case unixTime.MatchString(text):
			f.unix, text = 1, unixTime.ReplaceAllString(text, "")
			if millis.MatchString(text) {
				f.unix, text = 1000, millis.ReplaceAllString(text, "")
			}
		default:
			f.unread = f.unread || formNamed.MatchString(text)
		}
		if text != was {
			text = strings.Trim(strings.Replace(formNamed.ReplaceAllString(text, ""), "()", "", 1), " ,;:—–-()<>")
		}
		rest = append(rest, text)
	}
	if f.pattern != "" {
		if _, err := expression.ParseTimeFormat(f.pattern); err != nil {
			return form{unread: true, zone: f.zone}, rest
		}
	}
	return f, rest
}

// bare is where a pattern stands in a text, between signs that are no letters; nil without one.
func bare(pattern *regexp.Regexp, text string) []int {
	for _, at := range pattern.FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		if !unicode.IsLetter(before) && !unicode.IsLetter(after) {
			return at
		}
	}
	return nil
}

// pattern writes a form with the letters of utc() and local(). M behind hours are minutes, in whatever letters.
func pattern(text string) string {
	var b strings.Builder
	letters := []rune(strings.ReplaceAll(text, "'", ""))
	last := ' '
	for i := 0; i < len(letters); i++ {
		c := unicode.ToLower(letters[i])
		switch {
		case c == 'г' || c == 'y':
			c = 'y'
		case c == 'д' || c == 'd':
			c = 'd'
		case c == 'ч' || c == 'h':
			c = 'H'
		case (c == 'м' || c == 'm') && (last == 'H' || last == 'm'):
			c = 'm'
		case c == 'м' || c == 'm':
			c = 'M'
		case c == 'f' || (c == 's' || c == 'с') && (last == 's' || last == 'f') && i > 0 && (letters[i-1] == '.' || letters[i-1] == ',' || last == 'f'):
			c = 'f'
		case c == 's' || c == 'с':
			c = 's'
		case c == 't' || c == 'т':
			b.WriteRune('T')
			continue
		case c == 'z':
			b.WriteRune(letters[i])
			continue
		case c == '+' || c == '±' || c == '-' && last == 's':
			b.WriteString("zzz") // +hh:mm
			return b.String()
		default:
			b.WriteRune(letters[i])
			continue
		}
		b.WriteRune(c)
		last = c
	}
	return b.String()
}

// times are the values that are a time, in one form or another.
var times = []string{"${utc(time)}", "${local(time)}", "${date(time)}", "${calltime}", "${requestDate}", "${timestamp}"}

// formed gives a proposal that is a time the form that is said of it.
func (c Context) formed(p Proposal, f form) Proposal {
	aboutTime := slices.Contains(times, p.Value)
	switch {
	case p.Certainty == Absent || f == form{zone: f.zone} || p.Path == "executionDateTimeUtc" || p.Value != "" && !aboutTime: // Mindbox takes that field in the form of the destination
		return p
	case f.unread:
		if p.Certainty == Sure {
			p.Candidates = []Candidate{{p.Value, "time"}}
		}
		p.Certainty = Unsure
		return p
	case f.unix > 0 && !c.comes("timestamp"):
		p.Certainty, p.Candidates, p.Value = Unsure, nil, ""
		return p
	}
	values := f.values(p.Value)
	p.Value, p.Candidates = values[0], nil
	if aboutTime && len(values) == 1 && !p.Odd {
		p.Certainty = Sure
		return p
	}
	p.Certainty = Unsure
	for _, v := range values {
		p.Candidates = append(p.Candidates, Candidate{v, "time"})
	}
	return p
}

// values are the expressions for a time in this form, the best first. A form with Z is of UTC, one with an offset or without hours is of the
// site's zone; where neither says it, the clock that is named does, or what the field was taken for, and nothing else is sure.
func (f form) values(taken string) []string {
	byUTC, bySite := `${utc(time, "`+f.pattern+`")}`, `${local(time, "`+f.pattern+`")}`
	switch {
	case f.unix == 1:
		return []string{"${timestamp}"}
	case f.unix > 1:
		return []string{"${timestamp * 1000}"}
	case f.pattern == "yyyy-MM-dd":
		return []string{"${date(time)}"}
	case strings.Contains(f.pattern, "Z"):
		return []string{byUTC}
	case strings.Contains(f.pattern, "zzz"), !strings.Contains(f.pattern, "H"):
		return []string{bySite}
	case f.zone == utc:
		return []string{byUTC}
	case f.zone != anyZone:
		return []string{bySite}
	case taken == "${utc(time)}":
		return []string{byUTC, bySite}
	}
	return []string{bySite, byUTC}
}

// byClock are the meanings that tell a time by the clock that is named, in Mindbox's form, and those that are no time; all where none is left.
func (z zone) byClock(all []meaning) []meaning {
	drop := map[zone][]string{utc: {"local(time)", "date(time)", "calltime", "requestDate", "timestamp"}, local: {"utc(time)", "calltime", "requestDate", "timestamp"}}
	if z == moscow {
		z = local
	}
	some := slices.DeleteFunc(slices.Clone(all), func(m meaning) bool { return slices.Contains(drop[z], m.expr) })
	if len(some) == 0 {
		return all
	}
	return some
}
