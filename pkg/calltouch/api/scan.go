package api

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

const (
	// maxRead is how much of one record is read to know its id, its time and whether it is sound;
	// of a longer one only the first bytes are known.
	maxRead = 16 << 20
	// maxDepth bounds the brackets within each other.
	maxDepth = 1000
)

// scanner cuts an answer into its values by brackets and quotation marks alone, so that a value
// that is no JSON does not hide those behind it.
type scanner struct {
	r    *bufio.Reader
	read int64  // bytes, from r
	back []byte // was read and comes again, before r

	whole bool // the input has come to its end, and was not cut

	lone  *capture // keeps all that is read, for an answer that is one record
	page  bool     // the list stands inside of an object
	key   []byte   // the first name of a sound record, with its quotation marks
	guess []byte   // that of a broken one
}

// utf8Mark is what may stand before an answer: UTF-8's byte order mark.
var utf8Mark = []byte("\xef\xbb\xbf")

// newScanner scans r, behind its byte order mark where it has one.
func newScanner(r io.Reader) *scanner {
	s := &scanner{r: bufio.NewReaderSize(r, 64<<10)}
	if first, _ := s.r.Peek(len(utf8Mark)); bytes.Equal(first, utf8Mark) {
		_, _ = s.r.Discard(len(utf8Mark))
	}
	return s
}

// next is the next byte. The end of the input inside an answer is an answer that was cut.
func (s *scanner) next() (byte, error) {
	var b byte
	if len(s.back) > 0 {
		b, s.back = s.back[0], s.back[1:]
	} else {
		var err error
		if b, err = s.r.ReadByte(); err != nil {
			if s.whole = errors.Is(err, io.EOF); s.whole {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		s.read++
	}
	s.lone.add(b)
	return b, nil
}

// unread has the byte read last come again.
func (s *scanner) unread(b byte) {
	s.back = append([]byte{b}, s.back...)
	s.lone.drop()
}

// first is the next byte that is not blank.
func (s *scanner) first() (byte, error) {
	for {
		if b, err := s.next(); err != nil || b > ' ' {
			return b, err
		}
	}
}

// ends reports whether a list or an answer may end here: a list inside of a page before what else
// the page holds, all else before nothing. Where it may not, what follows comes again, the blanks
// before it too.
func (s *scanner) ends() bool {
	var seen []byte
	for {
		b, err := s.next()
		if err != nil {
			return true // a cut behind the end cuts nothing off
		}
		if b > ' ' || len(seen) < maxRead {
			seen = append(seen, b)
		}
		if b > ' ' {
			s.back = append(seen, s.back...)
			return s.page && (b == ',' || b == '}')
		}
	}
}

// name reads the next name of an object, with its colon; false at the closing brace.
func (s *scanner) name() (string, bool, error) {
	b, err := s.first()
	if err == nil && b == ',' {
		b, err = s.first()
	}
	switch {
	case err != nil:
		return "", false, err
	case b == '}':
		return "", false, nil
	case b != '"':
		return "", false, errNoList
	}
	s.unread(b)
	name, err := s.cut()
	if err != nil {
		return "", false, err
	}
	if b, err = s.first(); err == nil && b != ':' {
		err = errNoList
	}
	return string(bytes.Trim(name.raw, `"`)), true, err
}

// piece is what was cut out of an answer.
type piece struct {
	raw   []byte // at most the first maxRead bytes
	size  int
	open  []byte // brackets, at the end of the piece
	last  byte   // that is not blank and in no text
	text  bool   // it ends inside a text
	slash bool   // behind a backslash
}

// cut reads one value: up to the bracket that closes it, the end of its text, or what follows a
// plain word. errCrossed says that the brackets cross or that another record has begun inside a
// text: a quotation mark is missing, or one too many.
func (s *scanner) cut() (p piece, err error) {
	for {
		s.skim(&p)
		b, err := s.next()
		if err != nil {
			return p, err
		}
		if !p.text && len(p.open) == 0 && p.size > 0 && (b <= ' ' || b == ',' || b == ']' || b == '}') {
			s.unread(b)
			return p, nil
		}
		if b == '"' && !p.text && s.begins(p.raw) {
			s.unread(b)
			return p, errCrossed
		}
		done, crossed := p.add(b)
		switch {
		case crossed:
			return p, errCrossed
		case done:
			return p, nil
		}
	}
}

// skim takes at once what a text has up to its next quotation mark or backslash.
func (s *scanner) skim(p *piece) {
	if !p.text || p.slash || len(s.back) > 0 || s.lone != nil {
		return
	}
	plain, _ := s.r.Peek(s.r.Buffered())
	if i := bytes.IndexAny(plain, "\"\\"); i >= 0 {
		plain = plain[:i]
	}
	p.size += len(plain)
	p.raw = append(p.raw, plain[:min(len(plain), max(0, maxRead-len(p.raw)))]...)
	s.read += int64(len(plain))
	_, _ = s.r.Discard(len(plain))
}

// errCrossed reports a record that cannot be cut out by its brackets, see cut.
var errCrossed = errors.New("the brackets of a record cross")

// add adds a byte. It reports whether the value is whole, or can be none.
func (p *piece) add(b byte) (done, crossed bool) {
	if p.size++; p.size <= maxRead {
		p.raw = append(p.raw, b)
	}
	last := p.last
	if !p.text && b > ' ' {
		p.last = b
	}
	switch {
	case p.slash:
		p.slash = false
	case p.text && b == '\\':
		p.slash = true
	case b == '"':
		p.text = !p.text
		return !p.text && len(p.open) == 0, p.text && len(p.open) == 0 && p.size > 1 // inside of a word
	case p.text:
	case b == '{' || b == '[':
		nameless := (last == ',' || last == '{') && len(p.open) > 0 && p.open[len(p.open)-1] == '{'
		p.open = append(p.open, b)
		return false, nameless || len(p.open) > maxDepth
	case b == '}' || b == ']':
		top := len(p.open) - 1
		if top < 0 || p.open[top] != b-2 { // the opening bracket's code is two less
			return false, true
		}
		p.open = p.open[:top]
		return top == 0, false
	}
	return false, false
}

// begins reports whether raw ends with the beginning of another record, up to its first name, of
// which the closing quotation mark comes next: ,{"callId. In sound JSON no text opens behind a
// letter.
func (s *scanner) begins(raw []byte) bool {
	if len(raw) == 0 || bytes.IndexByte([]byte("{[,: \t\r\n"), raw[len(raw)-1]) >= 0 {
		return false
	}
	key := s.keyOf(raw)
	return key != nil && beginning(raw, key) > 0
}

// keyOf is the name with which records begin here, in quotation marks; nil when it is not known.
func (s *scanner) keyOf(raw []byte) []byte {
	if s.key != nil {
		return s.key
	}
	if name := firstName(raw); name != nil {
		return name
	}
	return s.guess
}

// beginning is where in raw the record begins with which raw ends; 0 for none. Where the key is not
// known, any name will do.
func beginning(raw, key []byte) int {
	name := bytes.TrimSuffix(key, []byte(`"`))
	if key == nil {
		name = []byte(`"`)
	}
	if !bytes.HasSuffix(raw, name) {
		return 0
	}
	rest := blankless(raw[:len(raw)-len(name)])
	if !bytes.HasSuffix(rest, []byte("{")) {
		return 0
	}
	at := len(rest) - 1
	if rest = blankless(rest[:at]); bytes.HasSuffix(rest, []byte(",")) || bytes.HasSuffix(rest, []byte("}")) {
		return at
	}
	return 0
}

func blankless(raw []byte) []byte { return bytes.TrimRight(raw, " \t\r\n") }

var firstNamePattern = regexp.MustCompile(`^\s*\{\s*("[^"\\]{1,64}")\s*:`)

// firstName is the name that stands first in a record, with its quotation marks.
func firstName(raw []byte) []byte {
	if m := firstNamePattern.FindSubmatch(raw[:min(len(raw), 256)]); m != nil {
		return m[1]
	}
	return nil
}

// record reads one record of a list. One whose brackets cross ends where the next one begins.
func (s *scanner) record() (rawValue, error) {
	p, err := s.cut()
	cutOff := errors.Is(err, io.ErrUnexpectedEOF) && p.text // else it was the answer that was cut
	switch {
	case errors.Is(err, errCrossed), cutOff:
		return s.broken(p)
	case err != nil:
		return rawValue{}, err
	case p.size > maxRead:
		return rawValue{raw: bytes.Clone(p.raw[:calltouch.MaxHead]), size: p.size}, nil
	}
	v := newRawValue(p.raw)
	switch name := bytes.Clone(firstName(p.raw)); {
	case name == nil:
	case v.broken:
		s.guess = name
	case idPattern.Match(p.raw): // else it may be a piece of a broken one
		s.key = name
	}
	return v, nil
}

// broken reads on to where the next record begins, or to the end of the list.
func (s *scanner) broken(p piece) (rawValue, error) {
	raw, key := p.raw, bytes.Clone(s.keyOf(p.raw))
	s.guess = key
	for len(raw) < maxRead {
		if at := beginning(raw, key); at > 0 {
			s.back = append(bytes.Clone(raw[at:]), s.back...)
			return newBroken(bytes.TrimRight(raw[:at], ", \t\r\n")), nil
		}
		b, err := s.next()
		if errors.Is(err, io.ErrUnexpectedEOF) && s.whole {
			return s.lastBroken(raw)
		}
		if err != nil {
			return rawValue{}, err
		}
		raw = append(raw, b)
	}
	return rawValue{}, errNoList
}

// The end of a list behind a broken record: alone, or inside of a page with what follows there.
var (
	listEnd = regexp.MustCompile(`(\]\s*)$`)
	pageEnd = regexp.MustCompile(`(\](\s*,\s*"\w+"\s*:\s*[^{}\[\]"]*)*\s*\}\s*)$`)
)

// lastBroken is the record with which an answer ends, if that is its end.
func (s *scanner) lastBroken(raw []byte) (rawValue, error) {
	end := listEnd
	if s.page {
		end = pageEnd
	}
	tail := max(len(raw)-4096, 0)
	m := end.FindSubmatchIndex(raw[tail:])
	if m == nil {
		return rawValue{}, io.ErrUnexpectedEOF
	}
	at := tail + m[2]
	s.back = append(bytes.Clone(raw[at:]), s.back...)
	return newBroken(blankless(raw[:at])), nil
}

// newBroken is a record that is no JSON.
func newBroken(raw []byte) rawValue {
	return rawValue{raw: bytes.Clone(raw), size: len(raw), broken: true}
}
