// Package linktest writes files for tests: a touchbox.yaml with one site and one destination, of which
// a test says only what it is about. Text, Write and Parse give it as what a test needs. It checks
// nothing itself.
package linktest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/link"
)

// Site is the id of the site in each File; its name is clinic, and so is its destination's.
const Site = "10001"

// File is a touchbox.yaml. The zero value is right, and has the link of calls.
type File struct {
	Site   string // more lines of the site: key, token, api, timezone
	URL    string // of Mindbox; "" means the real one
	To     string // more lines of the destination: secret, timeout
	Links  []Link // none: Link{} alone
	Bottom string // more sections: keep
}

// Link is a link of a File, from its site to its destination. The zero value is calls: it sends the
// phone and the id of each call that has ended.
type Link struct {
	ID        string // "" means calls
	Event     string // "" means call.ended
	Operation string // "" means CallTouch
	More      string // more lines of the link: title, when, since
	Body      string // more lines of its body
}

// Text is the file as a person would write it. The last line is one of a body unless Bottom is set.
func (f File) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "calltouch:\n  - site: %s\n    name: clinic\n%s", Site, indented(4, f.Site))
	fmt.Fprintf(&b, "mindbox:\n  - name: clinic\n    url: %s\n    endpoint: clinic.Website\n%s", or(f.URL, "https://api.mindbox.ru"), indented(4, f.To))
	b.WriteString("links:\n")
	if len(f.Links) == 0 {
		f.Links = []Link{{}}
	}
	for _, l := range f.Links {
		l.write(&b)
	}
	b.WriteString(indented(0, f.Bottom))
	return b.String()
}

func (l Link) write(b *strings.Builder) {
	fmt.Fprintf(b, "  - id: %s\n    from: clinic\n    event: %s\n%s    to: clinic\n    operation: %s\n    body:\n%s",
		or(l.ID, "calls"), or(l.Event, "call.ended"), indented(4, l.More), or(l.Operation, "CallTouch"),
		indented(6, "customer.mobilePhone: ${phone(callerphone)}\ncustomerAction.customFields.callId: ${id}\n"+l.Body))
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// indented is lines with so many blanks before each; no lines are no text.
func indented(blanks int, lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		fmt.Fprintf(&b, "%*s%s\n", blanks, "", strings.TrimSuffix(line, "\n"))
	}
	return b.String()
}

// Write writes the file to touchbox.yaml in a folder, as its owner's alone, and returns its path.
func (f File) Write(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "touchbox.yaml")
	if err := os.WriteFile(path, []byte(f.Text()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Parse reads the file, which must be right, with the variables of the process.
func (f File) Parse(t testing.TB) *link.File {
	t.Helper()
	file, problems, err := link.Parse("touchbox.yaml", []byte(f.Text()), link.Options{Getenv: os.Getenv})
	if err != nil {
		t.Fatal(err, problems)
	}
	return file
}
