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
		switch at := layoutIn(text); {
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
			return form{unread: true}, rest
		}
	}
	return f, rest
}

// layoutIn is where a form stands in a text, between signs that are no letters; nil without one.
func layoutIn(text string) []int {
	for _, at := range layout.FindAllStringIndex(text, -1) {
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
	case p.Certainty == Absent || f == form{} || p.Path == "executionDateTimeUtc" || p.Value != "" && !aboutTime: // Mindbox takes that field in the form of the destination
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
// site's zone; where neither says it, what the field was taken for does, and nothing else is sure.
func (f form) values(taken string) []string {
	utc, local := `${utc(time, "`+f.pattern+`")}`, `${local(time, "`+f.pattern+`")}`
	switch {
	case f.unix == 1:
		return []string{"${timestamp}"}
	case f.unix > 1:
		return []string{"${timestamp * 1000}"}
	case f.pattern == "yyyy-MM-dd":
		return []string{"${date(time)}"}
	case strings.Contains(f.pattern, "Z"):
		return []string{utc}
	case strings.Contains(f.pattern, "zzz"), !strings.Contains(f.pattern, "H"):
		return []string{local}
	case taken == "${utc(time)}":
		return []string{utc, local}
	}
	return []string{local, utc}
}
