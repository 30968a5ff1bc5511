package cases

import (
	"bytes"
	"strings"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/schema"
)

// head begins a new file of tests.
func head(l lang.Language) string {
	return "# yaml-language-server: $schema=" + schema.Tests.Address() + "\n# " + l.Text("Tests of the links of touchbox.yaml: `touchbox test` runs them.") + "\n\ncases:\n"
}

// Append adds recorded cases at the end of a file of tests, of which nothing else changes; nil is a new file, with a comment in the language. Whether `cases` is the last
// key of the file, so that it can be added to, shows when the whole is read.
func Append(file []byte, l lang.Language, recorded ...Recorded) []byte {
	var b bytes.Buffer
	if b.Write(file); len(file) == 0 {
		b.WriteString(head(l))
	} else if !bytes.HasSuffix(file, []byte("\n")) {
		b.WriteByte('\n')
	}
	for _, r := range recorded {
		b.WriteString(strings.Repeat("\n", min(1, len(file)))) // a line between the cases of a file that grows
		b.WriteString(r.Text)
	}
	return b.Bytes()
}
