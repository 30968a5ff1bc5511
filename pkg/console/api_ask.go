package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
)

// mostOfAPI is how many rows a list of the API has at most; as a table it may be longer.
const mostOfAPI = 1000

// asksList reads a filter, and how many rows are wanted.
func (v *visit) asksList(names ...string) (filter, int, error) {
	return v.asks(append(names, "limit")...)
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
		case name == formatParameter:
		case !slices.Contains(names, name):
			return f, 0, errAsked{v.lang.Sprintf("%s: there is no such parameter here; there are: %s", admin.Mask{}.Text(name), strings.Join(names, ", "))}
		case len(values) > 1:
			return f, 0, errAsked{v.lang.Sprintf("%s stands in the address more than once", name)}
		case strings.TrimSpace(values[0]) == "":
			return f, 0, errAsked{v.lang.Sprintf("%s is empty: give it a value, or leave it out", name)}
		}
	}
	f, limit = v.readFilter(), admin.DefaultLimit
	if text := v.r.FormValue("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostOfAPI {
			return f, 0, errAsked{v.lang.Sprintf("limit: want a number from 1 to %d", mostOfAPI)}
		}
	}
	return f, limit, v.knowsLink(f.Link)
}

// body reads the JSON of a request; no body is an empty object. A field that there is none of is a mistake, as with asks.
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
	decoder := json.NewDecoder(v.r.Body)
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&ask)
	switch {
	case err == nil && decoder.More():
	case err == nil, errors.Is(err, io.EOF):
		return ask, nil
	case isLarge(err):
		return ask, errAsked{v.lang.Text("The body is too large.")}
	}
	return ask, errAsked{v.lang.Sprintf("The body is not what it should be: %s", plainJSONError(err))}
}

func isLarge(err error) bool {
	var large *http.MaxBytesError
	return errors.As(err, &large)
}

// plainJSONError says what is wrong with a body without a value of it.
func plainJSONError(err error) string {
	if err == nil {
		return "more than one value"
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("%s: want %s", wrong.Field, wrong.Type)
	}
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return admin.Mask{}.Text("unknown field " + field)
	}
	return "no JSON"
}

// errField is that a field of a form or a filter is not what it should be.
type errField struct{ name string }

func (e errField) Error() string { return e.name + " is not what it should be" }

// Is says that it is errBadForm.
func (e errField) Is(target error) bool { return target == errBadForm }

// fieldTitles are what the fields of a filter are called on pages.
var fieldTitles = map[string]string{"since": "Since", "until": "Until", "status": "Status", "kind": "Kind", "event": "Event", "rate": "Pace, a second", "outcome": "Outcome", "limit": "Limit"}

// wanted says what the fields of a filter want.
var wanted = map[string]string{
	"since": "want a time: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h or 3d for how long ago", "until": "want a time later than since: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h or 3d for how long ago",
	"status": "want an HTTP status", "kind": "want call.started, call.ended or request", "event": "want a key as 10001/call-ended/4711", "rate": "want how many a second, or 0",
	"outcome": "there is no such outcome", "limit": "want a number",
}
