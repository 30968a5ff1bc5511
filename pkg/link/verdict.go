package link

import (
	"strings"

	"github.com/expr-lang/expr/vm"
)

// Verdict says whether a link passes an event.
type Verdict struct {
	Pass bool `json:"pass"`
	// Conditions are all of `when`, in their order. Filter leaves them out of a verdict that
	// passes; Explain has them always.
	Conditions []Condition `json:"conditions,omitempty"`
}

// Condition is one condition of `when` with the values that it saw. Saw holds personal data.
type Condition struct {
	Source string         `json:"source"`        // as it stands in the file
	Value  any            `json:"value"`         // what it came to; nil counts as false
	Saw    map[string]any `json:"saw,omitempty"` // field to value; nil where nothing came
	Pass   bool           `json:"pass"`
}

// Rendered are the parts of the request for one event. They hold personal data.
type Rendered struct {
	Body       []byte
	DeviceUUID string            // empty: the parameter is left out
	Header     map[string]string // besides those that every request has; nil where there are none
	Query      map[string]string
	Missing    []string // required fields that came out empty; any = undeliverable
	Notes      []string // what Mindbox may refuse: fields with names over 100, texts over 1000 characters, integers over 32 bits
}

// Filter decides whether the link passes an event with these fields. An error means that a
// condition met a value that it cannot use: the event must neither be sent nor dropped. It is an
// *ExpressionError.
func (l *Link) Filter(fields map[string]any) (Verdict, error) {
	c := l.compiledFor(fields)
	m := c.vm()
	defer c.vms.Put(m)
	pass := true
	for _, e := range c.when {
		v, err := e.run(m, fields)
		if err != nil {
			return Verdict{}, err
		}
		ok, err := truth(v)
		if err != nil {
			return Verdict{}, &ExpressionError{e.source, e.pos, e.reads}
		}
		pass = pass && ok
	}
	if pass {
		return Verdict{Pass: true}, nil
	}
	conditions, err := c.conditions(fields)
	return Verdict{Conditions: conditions}, err
}

// conditions computes each condition with what it saw.
func (c *compiled) conditions(fields map[string]any) ([]Condition, error) {
	m := c.vm()
	defer c.vms.Put(m)
	out := make([]Condition, len(c.when))
	for i, e := range c.when {
		v, err := e.run(m, fields)
		pass, bad := truth(v)
		if err == nil && bad != nil {
			err = &ExpressionError{e.source, e.pos, e.reads}
		}
		out[i] = Condition{Source: c.texts[i], Value: v, Saw: saw(e.reads, fields), Pass: pass}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

func saw(reads []string, fields map[string]any) map[string]any {
	out := make(map[string]any, len(reads))
	for _, name := range reads {
		out[name] = fieldValue(name, fields)
	}
	return out
}

// fieldValue reads "duration" or "attrs.promo".
func fieldValue(name string, fields map[string]any) any {
	if attr, ok := strings.CutPrefix(name, "attrs."); ok {
		attrs, _ := fields["attrs"].(map[string]string)
		return something(attrs[attr])
	}
	return fields[name]
}

// Render makes the request for an event with these fields. The error is as in Filter.
func (l *Link) Render(fields map[string]any) (Rendered, error) {
	return l.compiledFor(fields).render(fields, nil)
}

// typicalBody is enough for most bodies, in bytes.
const typicalBody = 512

func (c *compiled) render(fields map[string]any, leaf func(*bodyNode, any) any) (Rendered, error) {
	m := c.vm()
	defer c.vms.Put(m)
	r := rendering{vm: m, fields: fields, present: make([]bool, len(c.require)), leaf: leaf}
	body, ok, err := c.body.append(make([]byte, 0, typicalBody), &r)
	if err != nil {
		return Rendered{}, err
	}
	if !ok {
		body = append(body, "{}"...)
	}
	out := Rendered{Body: body, Missing: c.missing(r.present), Notes: r.notes}
	if out.Header, err = values(c.headers, m, fields); err != nil {
		return Rendered{}, err
	}
	if out.Query, err = values(c.query, m, fields); err != nil {
		return Rendered{}, err
	}
	if c.device != nil {
		out.DeviceUUID, err = c.deviceUUID(&r)
	}
	return out, err
}

// deviceUUID leaves out what is no UUID: Mindbox would refuse the whole request.
func (c *compiled) deviceUUID(r *rendering) (string, error) {
	v, err := c.device.value(r.vm, r.fields)
	if err != nil {
		return "", err
	}
	s, _ := v.(string)
	return wellFormed(s), nil
}

func (c *compiled) missing(present []bool) []string {
	var missing []string
	for i, path := range c.require {
		if present[i] && c.anyOf {
			return nil
		}
		if !present[i] {
			missing = append(missing, path)
		}
	}
	return missing
}

// values computes headers or query parameters; nil values are left out.
func values(list []namedTemplate, m *vm.VM, fields map[string]any) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make(map[string]string, len(list))
	for _, n := range list {
		v, err := n.template.value(m, fields)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		text, err := asText(v)
		if err != nil {
			return nil, n.template.failed()
		}
		out[n.name] = oneLine(text)
	}
	return out, nil
}

// oneLine keeps a value from ending a header.
func oneLine(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7F {
			return ' '
		}
		return c
	}, s)
}
