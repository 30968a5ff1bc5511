package cases

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

// edit is another text for a piece of a file.
type edit struct {
	span
	text string
}

// rounds is how often a file is updated and run again: a new outcome shows what else is expected otherwise.
const rounds = 4

// Update writes, as text, what comes now in the place of what was expected; no other byte changes. The file that it returns is
// not on disk yet. What has no place of its own there, because it did not come or is new, goes on failing.
func (f *File) Update(links *link.File) (updated *File, changed bool) {
	updated = f
	for range rounds {
		edits := updated.edits()
		if len(edits) == 0 {
			break
		}
		next, problems := Parse(f.Path, applied(updated.source, edits), links, lang.English)
		if len(problems.Mistakes()) > 0 {
			break
		}
		updated, changed = next, true
	}
	return updated, changed
}

// Text is the file as it stands on disk, or is to stand there.
func (f *File) Text() []byte { return f.source }

// edits are those that make of what is expected what comes. Where two cases share a text and want another one each, it stays.
func (f *File) edits() []edit {
	at := map[span]string{}
	split := map[span]bool{}
	for _, r := range f.Run() {
		for _, e := range r.edits() {
			if text, ok := at[e.span]; ok && text != e.text {
				split[e.span] = true
			}
			at[e.span] = e.text
		}
	}
	for _, r := range f.Run() { // one that is right shares its text with one that is not
		for _, w := range r.expected.all() {
			if text, ok := at[w.span]; ok && r.Passed && text != w.text {
				split[w.span] = true
			}
		}
	}
	var out []edit
	for s, text := range at {
		if s != (span{}) && !split[s] {
			out = append(out, edit{s, text})
		}
	}
	slices.SortFunc(out, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	return slices.CompactFunc(out, func(a, b edit) bool { return b.from < a.to }) // a value within a body that is written whole
}

// all are the texts of an expectation that have places of their own.
func (x *Expectation) all() (out []written) {
	for _, w := range []*written{x.outcome, x.condition, x.operation, x.device} {
		if w != nil {
			out = append(out, *w)
		}
	}
	for _, v := range []*values{x.body, x.fields} {
		if v != nil {
			for _, path := range v.paths {
				out = append(out, v.at[path])
			}
		}
	}
	return out
}

// applied is a text with the edits, which are in order.
func applied(source []byte, edits []edit) []byte {
	var b bytes.Buffer
	done := 0
	for _, e := range edits {
		b.Write(source[done:e.from])
		b.WriteString(e.text)
		done = e.to
	}
	b.Write(source[done:])
	return b.Bytes()
}

// edits are those of one result.
func (r Result) edits() (out []edit) {
	x := r.expected
	for _, d := range r.Differences {
		switch d.What {
		case aboutOutcome:
			out = append(out, edit{x.outcome.span, d.Got})
		case aboutCondition:
			if all := failing(r.trial); len(all) > 0 {
				out = append(out, edit{x.condition.span, yamlText(all[0])})
			}
		case aboutOperation:
			out = append(out, edit{x.operation.span, yamlText(d.Got)})
		case aboutDevice:
			if d.Got != "" {
				out = append(out, edit{x.device.span, yamlText(d.Got)})
			}
		default:
			out = append(out, r.bodyEdits(d)...)
		}
	}
	return out
}

// bodyEdits are those of a field of a body. A field that came or went changes a whole body, which is then written anew.
func (r Result) bodyEdits(d Difference) (out []edit) {
	x := r.expected
	if x.fields != nil && d.Got != "" {
		if w, ok := x.fields.at[d.What]; ok {
			out = append(out, edit{w.span, w.rewritten(d.Got)})
		}
	}
	if x.body == nil {
		return out
	}
	w, expected := x.body.at[d.What]
	switch {
	case expected && d.Got != "":
		return append(out, edit{w.span, d.Got})
	case x.body.span == span{}:
		return out
	}
	return append(out, edit{x.body.span, x.body.rewritten(r.trial.Rendered.Body)})
}

// rewritten is a value as it stands in the place of this one: in a table without quotes, where it can be.
func (w written) rewritten(value string) string {
	var text string
	if w.loose && json.Unmarshal([]byte(value), &text) == nil && text != "" && !strings.ContainsAny(text, "|\n\"") && strings.TrimSpace(text) == text {
		return text
	}
	return value
}

// rewritten is a whole body in the place of this one, in its form: dotted lines, or JSON under |.
func (v *values) rewritten(body []byte) string {
	blanks := strings.Repeat(" ", v.indent)
	if v.json {
		var b bytes.Buffer
		_ = json.Indent(&b, body, blanks, "  ") // a rendered body is JSON
		return blanks + b.String()
	}
	leaves := leavesOf(body)
	lines := make([]string, len(leaves.paths))
	for i, path := range leaves.paths {
		lines[i] = fmt.Sprintf("%s%s: %s", blanks, yamlText(path), leaves.at[path].text)
	}
	return strings.Join(lines, "\n")
}
