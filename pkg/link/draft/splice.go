package draft

import (
	"errors"
	"regexp"
	"strings"
)

// ErrNoPlace is the error for a file whose `links:` is written in a way in which nothing can be added without
// changing what stands there.
var ErrNoPlace = errors.New("no place for new links was found in the file: put them under `links:` by hand")

// Splice is the text of a file with the draft's links behind those that it has. No other byte changes, but for the
// brackets of `links: []`; line ends are those of the file.
func (d *Draft) Splice(file []byte) ([]byte, error) {
	text := string(file)
	p, err := placeIn(text)
	if err != nil {
		return nil, err
	}
	eol := "\n"
	if strings.Contains(text, "\r\n") {
		eol = "\r\n"
	}
	before, after := text[:p.at], text[p.at+p.brackets:]
	if p.brackets > 0 {
		rest, more, _ := strings.Cut(after, "\n") // a comment behind the brackets
		before, after = before+strings.TrimRight(rest, "\r"), more
		before = strings.TrimRight(before, " ")
	}
	if before != "" && !strings.HasSuffix(before, "\n") {
		before += eol
	}
	return []byte(before + strings.ReplaceAll(p.head+d.Text(p.indent), "\n", eol) + after), nil
}

// place is where links go.
type place struct {
	at       int    // in the text
	brackets int    // how many bytes there go: those of []
	indent   int    // blanks before each item
	head     string // what stands before the items
}

var (
	linksKey = regexp.MustCompile(`^["']?links["']?\s*:\s*`)
	noItems  = regexp.MustCompile(`^\[\s*\]`)
	firstOf  = regexp.MustCompile(`^( *)-(?:\s|$)`)
)

// usualIndent is how far items are indented where there are none to do as.
const usualIndent = 2

func placeIn(text string) (place, error) {
	for at := 0; at < len(text); at += lineLength(text[at:]) {
		line := text[at : at+lineLength(text[at:])]
		key := linksKey.FindString(line)
		switch rest := strings.TrimSpace(line[len(key):]); {
		case key == "":
		case rest == "" || rest[0] == '#':
			return endOfList(text, at+len(line)), nil
		case noItems.MatchString(rest):
			return place{at: at + len(strings.TrimRight(key, " ")), brackets: len(key) - len(strings.TrimRight(key, " ")) + len(noItems.FindString(rest)), indent: usualIndent}, nil
		default:
			return place{}, ErrNoPlace
		}
	}
	head := "\nlinks:\n"
	if text == "" || strings.HasSuffix(text, "\n\n") {
		head = "links:\n"
	}
	return place{at: len(text), indent: usualIndent, head: head}, nil
}

func lineLength(text string) int {
	if end := strings.IndexByte(text, '\n'); end >= 0 {
		return end + 1
	}
	return len(text)
}

// endOfList finds the end of the list that begins at a place: before the next key of the file, and before the
// comments and empty lines that stand above that.
func endOfList(text string, begin int) place {
	p := place{at: begin, indent: usualIndent}
	for at := begin; at < len(text); at += lineLength(text[at:]) {
		line := strings.TrimRight(text[at:at+lineLength(text[at:])], " \t\r\n")
		first := firstOf.FindStringSubmatch(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] != ' ' && first == nil: // the next key
			return p
		case first != nil && p.head == "":
			p.indent, p.head = len(first[1]), "\n" // an empty line between two links
		}
		p.at = at + lineLength(text[at:])
	}
	return p
}
