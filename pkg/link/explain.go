package link

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
)

// Explanation is all that can be said of one event and one link before anything is sent.
type Explanation struct {
	Link       string        `json:"link"`
	Title      string        `json:"title,omitempty"`
	Version    string        `json:"version"`
	Outcome    event.Outcome `json:"outcome"` // delivered stands for "would be sent", dead for an expression's error
	Conditions []Condition   `json:"conditions"`
	Request    *Request      `json:"request,omitempty"` // nil when it cannot be rendered
	Empty      []Empty       `json:"empty,omitempty"`
	Missing    []string      `json:"missing,omitempty"` // required fields that came out empty
	Notes      []string      `json:"notes,omitempty"`   // fields that Mindbox may refuse, see Rendered
	Error      string        `json:"error,omitempty"`   // of an expression
}

// Request is what would be sent, without the transaction id. The secret is masked.
type Request struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header"`
	Body   json.RawMessage   `json:"body"`
}

// Empty is a field of the body that is left out, and why.
type Empty struct {
	Path   string         `json:"path"`
	Source string         `json:"source"`
	Saw    map[string]any `json:"saw"` // what its expressions read
	Reason Reason         `json:"reason"`
}

// Reason says why a field came out empty.
type Reason string

// All reasons.
const (
	NothingCame Reason = "nothing_came"  // none of the fields that it reads came
	NotThisWay  Reason = "not_this_way"  // they never come by this origin
	NothingMade Reason = "nothing_made"  // they came, and the functions make nothing of them
	WrongKind   Reason = "not_this_kind" // they never come with this kind of event
)

// Explain shows what the link makes of an event. Personal values are masked unless reveal is
// set; the secret always is.
func (l *Link) Explain(fields map[string]any, reveal bool) Explanation {
	c := l.compiledFor(fields)
	e := Explanation{Link: l.ID, Title: l.Title, Version: l.Version}
	conditions, err := c.conditions(fields)
	pass := err == nil && !slices.ContainsFunc(conditions, func(c Condition) bool { return !c.Pass })
	e.Conditions = conditions
	if !reveal {
		e.Conditions = maskConditions(conditions)
	}
	if err != nil {
		return e.failed(err)
	}
	rendered, err := c.render(fields, e.look(fields, reveal))
	if err != nil {
		return e.failed(err)
	}
	e.Missing, e.Notes = rendered.Missing, rendered.Notes
	if !reveal {
		c.maskNamed(rendered)
	}
	e.Request = l.request(rendered)
	if e.Outcome = l.wouldBe(pass, e.Missing); !l.takes(fields) {
		e.Outcome = event.Untaken
	}
	return e
}

// takes reports whether the link reads events of this site and kind at all. What is not said
// counts as yes.
func (l *Link) takes(fields map[string]any) bool {
	site, known := fields["siteId"].(string)
	if known && !slices.Contains(l.Sites, site) {
		return false
	}
	kind, known := fields["kind"].(string)
	return !known || slices.ContainsFunc(l.Kinds, func(k event.Kind) bool { return k.Dotted() == kind })
}

func (e Explanation) failed(err error) Explanation {
	e.Error, e.Outcome = err.Error(), event.Dead
	return e
}

func (l *Link) wouldBe(pass bool, missing []string) event.Outcome {
	switch {
	case !pass:
		return event.Filtered
	case len(missing) > 0:
		return event.Undeliverable
	case l.Shadow:
		return event.Shadow
	}
	return event.Delivered
}

// look collects the empty leaves of a body and masks the personal ones.
func (e *Explanation) look(fields map[string]any, reveal bool) func(*bodyNode, any) any {
	return func(n *bodyNode, v any) any {
		if v == nil {
			e.Empty = append(e.Empty, emptyLeaf(n, fields, reveal))
			return nil
		}
		if !reveal && n.template.personal() {
			return maskValue(v)
		}
		return v
	}
}

func emptyLeaf(n *bodyNode, fields map[string]any, reveal bool) Empty {
	reads := n.template.reads()
	out := Empty{Path: n.path, Source: n.template.source, Saw: saw(reads, fields), Reason: NothingCame}
	if slices.ContainsFunc(reads, func(name string) bool { return filled(out.Saw[name]) }) {
		out.Reason = NothingMade
	} else if all(reads, func(f calltouch.Field) bool { return !comesWith(f, fields) }) {
		out.Reason = WrongKind
	} else if all(reads, func(f calltouch.Field) bool { return !comesBy(f, fields) }) {
		out.Reason = NotThisWay
	}
	if !reveal {
		maskSaw(out.Saw)
	}
	return out
}

// all reports whether every name is a field for which the condition holds.
func all(reads []string, holds func(calltouch.Field) bool) bool {
	return len(reads) > 0 && !slices.ContainsFunc(reads, func(name string) bool {
		f, ok := calltouch.Lookup(name)
		return !ok || !holds(f)
	})
}

func comesWith(f calltouch.Field, fields map[string]any) bool {
	name, _ := fields["kind"].(string)
	kind, err := event.ParseKind(name)
	return err != nil || slices.Contains(f.Kinds, kind)
}

func comesBy(f calltouch.Field, fields map[string]any) bool {
	switch fields["origin"] {
	case string(event.Webhook):
		return f.Origins.Has(calltouch.FromHook)
	case string(event.Poll):
		return f.Origins.Has(calltouch.FromPoll)
	case string(event.Journal):
		return f.Origins.Has(calltouch.FromJournal)
	}
	return true
}

// request puts together what a person would see on the wire.
func (l *Link) request(r Rendered) *Request {
	query := url.Values{"endpointId": {l.To.Endpoint}, "operation": {l.Operation}}
	if r.DeviceUUID != "" {
		query.Set("deviceUUID", r.DeviceUUID)
	}
	for name, v := range r.Query {
		query.Set(name, v)
	}
	header := map[string]string{"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
	for name, v := range r.Header {
		header[name] = v
	}
	if l.To.Secret.Set() {
		header["Authorization"] = "SecretKey " + masked
		if l.To.Authorization == AuthorizationMindbox {
			header["Authorization"] = `Mindbox secretKey="` + masked + `"`
		}
	}
	return &Request{"POST", l.To.URL + "/v3/operations/async?" + query.Encode(), header, r.Body}
}

// maskNamed masks the headers and parameters that hold personal data.
func (c *compiled) maskNamed(r Rendered) {
	for _, n := range c.headers {
		if _, ok := r.Header[n.name]; ok && n.template.personal() {
			r.Header[n.name] = masked
		}
	}
	for _, n := range c.query {
		if _, ok := r.Query[n.name]; ok && n.template.personal() {
			r.Query[n.name] = masked
		}
	}
}

// Masked is the verdict without personal data: of a phone the last two digits stay.
func (v Verdict) Masked() Verdict {
	v.Conditions = maskConditions(v.Conditions)
	return v
}

func maskConditions(conditions []Condition) []Condition {
	out := slices.Clone(conditions)
	for i, c := range out {
		copied := make(map[string]any, len(c.Saw))
		for name, v := range c.Saw {
			copied[name] = v
		}
		maskSaw(copied)
		out[i].Saw = copied
		if _, yesOrNo := c.Value.(bool); !yesOrNo && c.Value != nil {
			out[i].Value = masked
		}
	}
	return out
}

func maskSaw(saw map[string]any) {
	for name, v := range saw {
		if personal(name) && !isDevice(name, v) {
			saw[name] = maskValue(v)
		}
	}
}

// isDevice spares the device's attribute: it names no person, and one must see it.
func isDevice(name string, v any) bool {
	s, ok := v.(string)
	return ok && strings.HasPrefix(name, "attrs.") && wellFormed(s) != ""
}

// maskValue hides a value of any type; nothing stays nothing.
func maskValue(v any) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		if strings.Trim(v, "+-() 0123456789") == "" && strings.ContainsAny(v, "0123456789") {
			return phone.Mask(v)
		}
		if v == "" {
			return v
		}
	case map[string]string:
		out := make(map[string]string, len(v))
		for k := range v {
			out[k] = masked
		}
		return out
	}
	return masked
}
