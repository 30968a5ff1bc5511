package console

import (
	"errors"
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

// of is the filter as admin takes it. What it names and there is none of is a mistake, as it is to a command: an empty list would be taken
// for an answer. errBadForm.
func (v *visit) of(f filter) (admin.Filter, error) { return v.ofReasons(f, admin.Reasons()) }

// ofReasons is of for a list whose reasons are these.
func (v *visit) ofReasons(f filter, reasons []string) (out admin.Filter, err error) {
	out = admin.Filter{Link: f.Link, Reason: f.Reason}
	if err := v.knowsLink("link", f.Link); err != nil {
		return out, err
	}
	if out.Site, err = v.siteOf(f.Site); err != nil {
		return out, err
	}
	if err := v.oneOf("reason", f.Reason, reasons); err != nil {
		return out, err
	}
	if f.Status != "" {
		if out.Status, err = strconv.Atoi(f.Status); err != nil || out.Status < leastStatus || out.Status > mostStatus {
			return out, errField{name: "status"}
		}
	}
	if f.Kind != "" {
		if out.Kind, err = event.ParseKind(f.Kind); err != nil {
			return out, errField{name: "kind"}
		}
	}
	if f.Cause != "" && !admin.IsCause(f.Cause) {
		return out, errField{name: "cause"}
	}
	out.Since, out.Until, err = v.span(f)
	return out, err
}

// knowsLink refuses an id that is no link's.
func (v *visit) knowsLink(field, id string) error {
	if id == "" || v.admin.File.Link(id) != nil {
		return nil
	}
	known, err := v.admin.Knows(v.ctx(), id)
	if err == nil && !known {
		err = errField{field, v.lang.Sprintf("there is no link %q in the file, and the queue knows none either", admin.Mask{}.Text(id))}
	}
	return err
}

// siteOf is the id of a site that is named; "" stays "".
func (v *visit) siteOf(named string) (string, error) {
	if named == "" {
		return "", nil
	}
	id, known, err := v.admin.SiteOf(v.ctx(), named)
	if err == nil && !known {
		err = errField{"site", v.lang.Sprintf("there is no site %q in the file, and nothing of it is stored", admin.Mask{}.Text(named))}
	}
	return id, err
}

// oneOf refuses a word that is none of those that there are; "" is none that was given.
func (v *visit) oneOf(field, word string, all []string) error {
	if word == "" || slices.Contains(all, word) {
		return nil
	}
	return errField{field, v.lang.Sprintf("there is none of this name; there are: %s", strings.Join(all, ", "))}
}

func (v *visit) span(f filter) (since, until time.Time, err error) {
	since, until, err = admin.ReadSpan(f.Since, f.Until, v.c.Zone(), v.c.Now())
	switch {
	case errors.Is(err, admin.ErrSince):
		err = errField{name: "since"}
	case errors.Is(err, admin.ErrFuture):
		err = errField{"since", v.lang.Text("this time has not come yet, so nothing can be behind it")}
	case err != nil:
		err = errField{name: "until"}
	}
	return since, until, err
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
	if err != nil || place == 0 {
		return 0, errField{name: beforeParameter}
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
