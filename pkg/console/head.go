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

// causeWords says why the letters of a cause were given up; its id, where none of them is left.
func (v *visit) causeWords(id string) string {
	cause, err := v.cause(admin.Filter{}, id)
	if err != nil {
		return id
	}
	return strings.TrimSuffix(v.lang.Text(admin.ReasonWord(cause.Reason))+": "+cause.Answer, ": ")
}

// words says a filter in words.
func (v *visit) words(f filter) string {
	var said []string
	add := func(name, value string) {
		if value != "" {
			said = append(said, v.lang.Text(name)+": "+value)
		}
	}
	add("Link", f.Link)
	add("Site", v.c.siteName(f.Site))
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
	if f.Cause != "" {
		add("Cause", v.causeWords(f.Cause))
	}
	if f.Event != "" {
		add("Event", parts(f.Event).ID)
	}
	add("Since", f.Since)
	add("Until", f.Until)
	if len(said) == 0 {
		return v.lang.Text("everything")
	}
	return strings.Join(said, " · ")
}
