package spec

import (
	"regexp"
	"slices"
	"strings"
)

// conditions are the words by which people say which events an operation is for, with what a link's `when` says for it. A draft has no
// such condition: what is meant by a sentence only a person knows, and a link without it sends every call.
var conditions = []struct {
	words *regexp.Regexp
	when  string
}{
	{regexp.MustCompile(`(?i)пропущенн|не\s?дозвон|без ответа|неотвеченн|missed|unanswered`), `status == "unsuccessful"`},
	{regexp.MustCompile(`(?i)рабоч\pL+ (?:врем|час)|working hours|business hours`), `worktime == "worktime"`},
	{regexp.MustCompile(`(?i)(?:^|[^\pL-])целев\pL+ (?:звон|обращ)|target calls?\b`), `targetcall == "target"`},
	{regexp.MustCompile(`(?i)(?:дольше|длиннее|длительност\pL+ (?:более|больше|от)|longer than|more than|>)\s*\d+\s*(?:с|сек\pL*|s|sec\pL*)(?:[^\pL]|$)`), `duration > …`},
}

// noteConditions remarks on what reads like a condition beside the fields: what stands at a field is about that.
func (r *reader) noteConditions(text string) {
	var fields []int
	for _, f := range r.spec.Fields {
		fields = append(fields, f.Line)
	}
	at := 0
	said := map[string]bool{}
	for line := range strings.Lines(text) {
		at++
		if slices.Contains(fields, at) {
			continue
		}
		for _, c := range conditions {
			if !said[c.when] && c.words.MatchString(line) {
				said[c.when] = true
				r.note(at, "this reads like a condition, and the draft has none: if it is one, put it into `when` of the link: %s", c.when)
			}
		}
	}
}
