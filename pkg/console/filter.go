package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// filter is what of a list a person wants to see. It stands in the address, so that a page can be sent to somebody else,
// and an action takes the same filter again, never the rows of the page.
type filter struct {
	Link, Site, Kind, Outcome, Reason string
	Status                            string
	Since, Until                      string
	Cause, Event                      string

	Links, Sites []string // to choose from
}

// mostRows is how many rows a page of a list has: with some links a row, it still loads at once on a phone.
const mostRows = 50

// readFilter reads the filter of an address or a form.
func (v *visit) readFilter() filter {
	f := filter{}
	for name, field := range f.fields() {
		*field = strings.TrimSpace(v.r.FormValue(name))
	}
	for _, l := range v.admin.File.Links {
		f.Links = append(f.Links, l.ID)
	}
	for _, s := range v.admin.File.Sites {
		f.Sites = append(f.Sites, s.ID)
	}
	if f.Link != "" && !slices.Contains(f.Links, f.Link) {
		f.Links = append(f.Links, f.Link)
	}
	return f
}

// fields are the filter's own, by their names in an address.
func (f *filter) fields() map[string]*string {
	return map[string]*string{
		"link": &f.Link, "site": &f.Site, "kind": &f.Kind, "outcome": &f.Outcome, "reason": &f.Reason, "status": &f.Status,
		"since": &f.Since, "until": &f.Until, "cause": &f.Cause, "event": &f.Event,
	}
}

// Query is the filter as an address holds it.
func (f filter) Query() string {
	q := url.Values{}
	for name, field := range f.fields() {
		if *field != "" {
			q.Set(name, *field)
		}
	}
	return q.Encode()
}

// Values are the filter's fields that are set, as a form carries them on.
func (f filter) Values() map[string]string {
	set := map[string]string{}
	for name, field := range f.fields() {
		if *field != "" {
			set[name] = *field
		}
	}
	return set
}

// With is the filter's address with one field changed.
func (f filter) With(name, value string) string {
	*f.fields()[name] = value
	return f.Query()
}

// Flags are the same filter for a command.
func (f filter) Flags(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		if value := *f.fields()[name]; value != "" {
			b.WriteString(" --" + name + " " + word4shell(value))
		}
	}
	return b.String()
}

// word4shell quotes a value where a shell would take it apart.
func word4shell(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:+@", r)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// leastStatus and mostStatus bound what an answer of HTTP has.
const leastStatus, mostStatus = 100, 599

// of is the filter as admin takes it. errBadForm.
func (v *visit) of(f filter) (admin.Filter, error) {
	out := admin.Filter{Link: f.Link, Site: f.Site, Reason: f.Reason}
	var err error
	if site := v.admin.File.Site(f.Site); site != nil { // by its name
		out.Site = site.ID
	}
	if f.Status != "" {
		if out.Status, err = strconv.Atoi(f.Status); err != nil || out.Status < leastStatus || out.Status > mostStatus {
			return out, errField{"status"}
		}
	}
	if f.Kind != "" {
		if out.Kind, err = event.ParseKind(f.Kind); err != nil {
			return out, errField{"kind"}
		}
	}
	out.Since, out.Until, err = v.span(f)
	return out, err
}

func (v *visit) span(f filter) (since, until time.Time, err error) {
	since, ok := admin.ReadMoment(f.Since, v.c.Zone(), v.c.Now())
	until, ok2 := admin.ReadMoment(f.Until, v.c.Zone(), v.c.Now())
	switch {
	case !ok:
		return since, until, errField{"since"}
	case !ok2, !since.IsZero() && !until.IsZero() && !since.Before(until):
		return since, until, errField{"until"}
	}
	return since, until, nil
}

// beforeParameter is by what an address asks for an older part of a list: for what stands before a place.
const beforeParameter = "before"

// before is the place before which a part of a list stands; 0: it is the newest. errBadForm.
func (v *visit) before() (uint64, error) {
	text := v.r.FormValue(beforeParameter)
	if text == "" {
		return 0, nil
	}
	place, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, errBadForm
	}
	return place, nil
}

// older is the address of the next older part of the list of this page; "" where there is none.
func (v *visit) older(place uint64) string {
	if place == 0 {
		return ""
	}
	return v.r.URL.Path + v.withQuery(beforeParameter, strconv.FormatUint(place, 10))
}
