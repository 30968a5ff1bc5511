package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/lang"
)

// mostOfAPI is how many rows a list of the API has at most; as a table it may be longer.
const mostOfAPI = 1000

// asksList reads a filter, and how many rows are wanted.
func (v *visit) asksList(names ...string) (filter, int, error) {
	return v.asks(append(names, "limit", formatParameter)...)
}

// asks reads a filter from the address. A parameter that there is none of is a mistake: with a name mistyped, more would be
// selected than was meant.
func (v *visit) asks(names ...string) (f filter, limit int, err error) {
	parameters, err := url.ParseQuery(v.r.URL.RawQuery)
	if err != nil {
		return f, 0, errAsked{v.lang.Text("The parameters of the address cannot be read.")}
	}
	for name, values := range parameters {
		switch {
		case len(names) == 0:
			return f, 0, errAsked{v.lang.Sprintf("%s: this address takes no parameters", admin.Mask{}.Text(name))}
		case !slices.Contains(names, name):
			return f, 0, errAsked{v.lang.Sprintf("%s: there is no such parameter here; there are: %s", admin.Mask{}.Text(name), strings.Join(names, ", "))}
		case len(values) > 1:
			return f, 0, errAsked{v.lang.Sprintf("%s stands in the address more than once", name)}
		case strings.TrimSpace(values[0]) == "":
			return f, 0, errAsked{v.lang.Sprintf("%s is empty: give it a value, or leave it out", name)}
		}
	}
	if err := v.oneOf(formatParameter, parameters.Get(formatParameter), []string{"csv"}); err != nil {
		return f, 0, err
	}
	f, limit = v.readFilter(), admin.DefaultLimit
	if text := v.r.FormValue("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostOfAPI {
			return f, 0, errAsked{v.lang.Sprintf("limit: want a number from 1 to %d", mostOfAPI)}
		}
	}
	return f, limit, nil
}

// body reads the JSON of a request; no body is an empty object. A field that there is none of, that stands there twice or is empty is a
// mistake, as with asks.
func body[T any](v *visit) (ask T, err error) {
	if _, _, err := v.asks(); err != nil {
		return ask, err
	}
	if v.r.ContentLength == 0 {
		return ask, nil
	}
	if kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return ask, errType
	}
	text, err := io.ReadAll(v.r.Body)
	switch {
	case isLarge(err):
		return ask, errLarge
	case err != nil:
		return ask, v.noBody("it was cut short")
	case len(bytes.TrimSpace(text)) == 0:
		return ask, nil
	}
	if err := v.checkFields(text, fieldsOf[T]()); err != nil {
		return ask, err
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](json.Unmarshal(text, &ask)); ok {
		return ask, errAsked{v.lang.Sprintf("%s: want %s", wrong.Field, wrong.Type.String())}
	}
	return ask, nil
}

// fieldsOf are the names of the fields of a body.
func fieldsOf[T any]() (names []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if name := field.Tag.Get("json"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// mayBeEmpty is the one field whose empty value selects nothing.
const mayBeEmpty = "why"

// checkFields looks at the names of an object's fields: encoding/json takes them in any case, and of two the last.
func (v *visit) checkFields(text []byte, names []string) error {
	decoder, seen := json.NewDecoder(bytes.NewReader(text)), map[string]bool{}
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return v.noBody("want an object of JSON")
	}
	for decoder.More() {
		token, err := decoder.Token()
		name, _ := token.(string)
		var value json.RawMessage
		if err == nil {
			err = decoder.Decode(&value)
		}
		switch plain := strings.TrimSpace(strings.Trim(string(value), `"`)); {
		case err != nil:
			return v.noBody("want an object of JSON")
		case !slices.Contains(names, name):
			return errAsked{v.lang.Sprintf("%s: there is no such field here; there are: %s", admin.Mask{}.Text(name), strings.Join(names, ", "))}
		case seen[name]:
			return errAsked{v.lang.Sprintf("%s stands in the body more than once", name)}
		case (plain == "" || plain == "null") && name != mayBeEmpty:
			return errAsked{v.lang.Sprintf("%s is empty: give it a value, or leave it out", name)}
		}
		seen[name] = true
	}
	if _, err := decoder.Token(); err != nil {
		return v.noBody("want an object of JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return v.noBody("more than one value")
	}
	return nil
}

func (v *visit) noBody(why string) error {
	return errAsked{v.lang.Sprintf("The body is not what it should be: %s", v.lang.Text(why))}
}

func isLarge(err error) bool {
	_, large := errors.AsType[*http.MaxBytesError](err)
	return large
}

// errField is that a field of a form or a filter is not what it should be.
type errField struct {
	name string
	why  string // in the language of who asks; "": what wanted has of it
}

// said is what is wrong, or what is wanted in its place.
func (e errField) said(l lang.Language) string {
	if e.why != "" {
		return e.why
	}
	return l.Text(wanted[e.name])
}

func (e errField) Error() string { return e.name + " is not what it should be" }

// Is says that it is errBadForm.
func (e errField) Is(target error) bool { return target == errBadForm }

// fieldTitles are what the fields of a filter are called on pages.
var fieldTitles = map[string]string{
	"since": "Since", "until": "Until", "status": "Status", "kind": "Kind", "event": "Event", "rate": "Pace, a second", "outcome": "Outcome", "link": "Link",
	"site": "Site", "reason": "Reason", "cause": "Cause", "verb": "What", beforeParameter: "Place",
}

// wanted says what the fields of a filter want.
var wanted = map[string]string{
	"since": "want a time: 2026-11-01, 2026-11-01 10:00, or 2h or 3d for how long ago", "until": "want a time later than since: 2026-11-01, 2026-11-01 10:00, or 2h or 3d for how long ago",
	"status": "want an HTTP status", "kind": "want call.started, call.ended or request", "event": "want a key as 10001/call-ended/4711", "rate": "want how many a second, or 0",
	"cause": "want the id of a cause, as the list of causes has it", beforeParameter: "want the place in the list that the page's own link has",
}
