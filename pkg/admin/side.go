package admin

import (
	"maps"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/show"
)

// Why an event is not sent, where no condition, field or expression says it.
const (
	WhyNotRead = "not_read" // the link does not read events of its site and kind
	WhyOlder   = "older"    // from before the link's start, or from a backfill
	WhyExpired = "expired"  // it came later than `expire` allows
)

// made is what a version of a link makes of one event. Nothing is sent: the request is what it would be.
type made struct {
	outcome event.Outcome
	why     string // of one that is not sent
	request *request
}

// sent reports whether it goes to Mindbox.
func (m made) sent() bool { return m.outcome == event.Delivered }

// request is what a link renders of an event, with all by which two can differ. It holds personal data.
type request struct {
	link      *link.Link
	fields    map[string]any
	operation string
	endpoint  string
	url       string
	link.Rendered
}

// maxWhy bounds the text of an expression's error, in bytes.
const maxWhy = 200

// makes is what the link makes of an event with these fields, by the rules of a worker at the time when the
// event came.
func (k linkInfo) makes(e event.Event, fields map[string]any) made {
	switch {
	case k.file == nil || !k.reads(e.Key):
		return made{outcome: event.Untaken, why: WhyNotRead}
	case !event.Taken(e, k.start):
		return made{outcome: event.Untaken, why: WhyOlder}
	}
	m := render(k.file, fields)
	if m.request != nil && k.late(e, fields) {
		return made{outcome: event.Dead, why: WhyExpired}
	}
	return m
}

// late reports whether an event came too late for the link to be of use.
func (k linkInfo) late(e event.Event, fields map[string]any) bool {
	happened, known := fields["time"].(time.Time)
	if !known {
		happened = e.Time
	}
	return k.file.Expire > 0 && e.Received.Add(k.file.Delay).Sub(happened) > k.file.Expire
}

// render is what a link makes of an event that it has taken.
func render(l *link.Link, fields map[string]any) made {
	verdict, err := l.Filter(fields)
	if err != nil {
		return failed(err)
	}
	if !verdict.Pass {
		return made{outcome: event.Filtered, why: firstFailed(verdict)}
	}
	rendered, err := l.Render(fields)
	switch {
	case err != nil:
		return failed(err)
	case len(rendered.Missing) > 0:
		return made{outcome: event.Undeliverable, why: rendered.Missing[0]}
	}
	m := made{outcome: event.Delivered, request: &request{l, fields, l.Operation, l.To.Endpoint, l.To.URL, rendered}}
	if l.Shadow {
		m.outcome = event.Shadow
	}
	return m
}

func failed(err error) made { return made{outcome: event.Dead, why: show.Line(err.Error(), maxWhy)} }

// firstFailed is the first condition that does not hold, as it stands in the file.
func firstFailed(v link.Verdict) string {
	for _, c := range v.Conditions {
		if !c.Pass {
			return c.Source
		}
	}
	return ""
}

// equal reports whether two requests are the same to Mindbox, as far as it can be known: of a secret only its name is.
func (r *request) equal(s *request) bool {
	return r.operation == s.operation && r.endpoint == s.endpoint && r.url == s.url && r.DeviceUUID == s.DeviceUUID &&
		string(r.Body) == string(s.Body) && maps.Equal(r.open(r.Header), s.open(s.Header)) && maps.Equal(r.open(r.Query), s.open(s.Query))
}

// open are headers or parameters with those hidden that nobody may see: a version that STATE keeps does not know them.
func (r *request) open(values map[string]string) map[string]string {
	open := make(map[string]string, len(values))
	for name, value := range values {
		if slices.Contains(r.Concealed, value) {
			value = show.Hidden
		}
		open[name] = value
	}
	return open
}

// masked is the request as anybody may see it.
func (r *request) masked() (*request, error) {
	rendered, err := r.link.RenderMasked(r.fields)
	if err != nil {
		return nil, err
	}
	m := *r
	m.Rendered = rendered
	return &m, nil
}
