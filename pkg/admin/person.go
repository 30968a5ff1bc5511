package admin

import (
	"context"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/spelling"
)

// Person is looked for by a number, an e-mail address, or both: one of the two is enough. They are
// found in every spelling and encoding, see package spelling.
type Person struct {
	phone string // as phone.Normalize writes it; empty: none
	email string // folded, in lower case; empty: none

	loose *regexp.Regexp // the address as it may be mistyped; nil without one
	tail  uint64         // the last digits of phone
	home  string         // phone without its country's code, as far as that can be said
	codes []string       // of the countries that a number of ten digits may belong to
}

// Trace says how sure it is that a text is about a person.
type Trace int

// The traces, the surest last.
const (
	NoTrace  Trace = iota
	Doubtful       // their digits or letters stand there, in a way that may be chance: a person decides
	Certain
)

// tailDigits is how many digits at its end a number has in a row, however it is written: signs
// between them do not count, an extension or a second number stands behind.
const tailDigits, tailModulus = 7, 10_000_000

// NewPerson looks for a person by a number as phone.Normalize writes it, an address, or both, at the
// sites with these codes before numbers of ten digits. A number of ten digits is Russian in any case:
// a hook may have come before the setting was made.
func NewPerson(number, email string, codes []string) Person {
	p := Person{phone: number, email: plainAddress(email), codes: append([]string{"7"}, codes...)}
	if p.email != "" {
		p.loose = looseEmail(p.email)
	}
	for _, c := range []byte(number) {
		p.tail = (p.tail*10 + uint64(c-'0')) % tailModulus
	}
	p.home = number[max(0, len(number)-10):]
	if !strings.HasPrefix(number, "7") && len(number) > 9 { // codes have one digit to three
		p.home = number[len(number)-9:]
	}
	return p
}

// In says whether an event is about the person, in any field.
func (p Person) In(e event.Event) Trace {
	most := NoTrace
	for text := range calltouch.Texts(e) {
		if most = max(most, p.InText(text)); most == Certain {
			break
		}
	}
	if most == NoTrace && p.phone != "" {
		most = p.between(e)
	}
	return most
}

// between says whether the number stands in several fields, one beside the other: its code in one of
// its own. A person decides whether they belong together.
func (p Person) between(e event.Event) Trace {
	for _, text := range calltouch.Whole(e) {
		if p.mayHold(text) && p.phoneIn(text) != NoTrace {
			return Doubtful
		}
	}
	return NoTrace
}

// InText says whether a text is about the person, in any reading.
func (p Person) InText(text string) Trace {
	readings, whole := spelling.Readings(text)
	most := NoTrace
	if !whole {
		most = Doubtful
	}
	for _, reading := range readings {
		if p.phone != "" && p.mayHold(reading) {
			most = max(most, p.phoneIn(reading))
		}
		if p.email != "" {
			most = max(most, p.emailIn(reading))
		}
	}
	return most
}

// mayHold reports whether the last digits of the number stand in text. It is quick, and few texts
// pass it.
func (p Person) mayHold(text string) bool {
	var tail uint64
	n := 0
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			continue
		}
		tail = (tail*10 + uint64(c-'0')) % tailModulus
		if n++; n >= tailDigits && tail == p.tail {
			return true
		}
	}
	return false
}

// phoneIn looks at every way to take whole groups of digits out of the runs of a text: other numbers,
// and years and prices, may stand beside the number.
func (p Person) phoneIn(text string) Trace {
	groups := digitGroups(text)
	for i := range groups {
		if p.beginsAt(groups, i) {
			return Certain
		}
	}
	if p.scattered(groups) {
		return Doubtful
	}
	return NoTrace
}

// longest is how many digits a number has at most, with what may stand before its country's code.
const longest = 18

// beginsAt reports whether the number begins with this group.
func (p Person) beginsAt(groups []group, first int) bool {
	digits := groups[first].sign
	for i := first; i < len(groups) && len(digits) <= longest; i++ {
		if i > first && !groups[i].joined {
			return false
		}
		digits += groups[i].digits
		if len(digits) >= tailDigits && p.is(digits) && !foreign(groups, first, i) {
			return true
		}
	}
	return false
}

// is reports whether the digits, and a plus before them, are the number.
func (p Person) is(digits string) bool {
	for _, code := range p.codes {
		if phone.Normalize(digits, phone.Options{TenDigits: code}) == p.phone {
			return true
		}
	}
	return false
}

// foreign reports whether what begins with one group and ends with another is the end of a number that
// begins further in front, with the code of another country.
func foreign(groups []group, first, last int) bool {
	digits := ""
	for i := last; i >= 0; i-- {
		digits = groups[i].digits + digits
		if i < first && groups[i].sign != "" && phone.Normalize("+"+digits, phone.Options{}) != "" {
			return true
		}
		if !groups[i].joined {
			return false
		}
	}
	return false
}

// scattered reports whether the digits stand in the text in their order, with words between them, or
// within a longer number.
func (p Person) scattered(groups []group) bool {
	const span = 120 // bytes
	for i := range groups {
		digits := ""
		for j := i; j < len(groups) && groups[j].at-groups[i].at < span; j++ {
			digits += groups[j].digits
		}
		if at := strings.Index(digits, p.home); at >= 0 && at < max(1, len(groups[i].digits)) {
			return true
		}
	}
	return false
}

// group is where digits stand side by side.
type group struct {
	digits string
	sign   string // "+" where one stands before them
	joined bool   // only signs stand between it and the group before
	at     int    // in the text
}

func digitGroups(text string) []group {
	var groups []group
	signs, plus, letters := 0, false, true
	for i := 0; i < len(text); {
		if begin := i; isDigit(text[i]) {
			for i < len(text) && isDigit(text[i]) {
				i++
			}
			g := group{digits: text[begin:i], joined: !letters && signs <= spelling.Gap, at: begin}
			if plus {
				g.sign = "+"
			}
			groups = append(groups, g)
			signs, plus, letters = 0, false, false
			continue
		}
		r, size := rune(text[i]), 1
		if r >= 0x80 {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		signs++
		letters = letters || unicode.IsLetter(r)
		plus = (plus || r == '+') && !unicode.IsLetter(r)
	}
	return groups
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// aPerson is how the audit names whom somebody looks for to erase: by nothing.
const aPerson = "a person"

// FindPerson says what is stored of a person. It reads all that is stored, and changes nothing.
func (a Admin) FindPerson(ctx context.Context, whom erase.Whom) (erase.Traces, error) {
	found, err := erase.Find(ctx, a.Queue, whom)
	if err != nil {
		return found, err
	}
	return found, a.Audit(ctx, AuditEntry{Verb: VerbFindPhone, On: aPerson, Found: found.Sum()})
}

// Erase removes all that is stored of a person, says how much it was, and has verified, when it ends
// without an error, that nothing is left. Interrupted, it can be repeated, and ends what was begun.
func (a Admin) Erase(ctx context.Context, whom erase.Whom) (erase.Traces, error) {
	if err := a.Queue.AwaitBackup(ctx); err != nil {
		return erase.Traces{}, err
	}
	var gone erase.Traces
	_, err := a.Recorded(ctx, AuditEntry{Verb: VerbErase, On: aPerson}, func() (n int, err error) {
		gone, err = erase.Erase(ctx, a.Queue, whom)
		return gone.Sum(), err
	})
	return gone, err
}
