package console

import (
	"net/url"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// listHead says what a list is of: its filter in words, and the address of the same as a table.
type listHead struct {
	Words string
	CSV   string
}

// head is that of the list at a path, by its filter.
func (v *visit) head(path string, f filter) listHead {
	query := url.Values{formatParameter: {"csv"}}
	for name, value := range f.Values() {
		query.Set(name, value)
	}
	return listHead{Words: v.words(f), CSV: path + "?" + query.Encode()}
}

// words says a filter in words.
func (v *visit) words(f filter) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, v.lang.Text(name)+": "+value)
		}
	}
	add("Link", f.Link)
	add("Site", f.Site)
	if f.Kind != "" {
		add("Kind", v.lang.Text(admin.KindWord(f.Kind)))
	}
	if f.Outcome != "" {
		add("Outcome", inWords(v.lang, outcomeWords[event.Outcome(f.Outcome)], f.Outcome).Text)
	}
	if f.Reason != "" {
		add("Reason", v.lang.Text(admin.ReasonWord(f.Reason)))
	}
	add("Status", f.Status)
	add("Cause", f.Cause)
	add("Since", f.Since)
	add("Until", f.Until)
	if len(parts) == 0 {
		return v.lang.Text("everything")
	}
	return strings.Join(parts, " · ")
}
