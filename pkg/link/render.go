package link

import (
	"maps"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/web"
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

// WriteJSON writes what encoding/json makes of a condition.
func (c Condition) WriteJSON(j *event.JSON) {
	j.Put("source", c.Source)
	j.Value("value", c.Value)
	if len(c.Saw) > 0 {
		j.Open("saw")
		var room [8]string // for those of most conditions
		names := slices.AppendSeq(room[:0], maps.Keys(c.Saw))
		slices.Sort(names)
		for _, name := range names {
			j.Value(name, c.Saw[name])
		}
		j.Close()
	}
	j.Value("pass", c.Pass)
}

// Rendered are the parts of the request for one event. They hold personal data.
type Rendered struct {
	Body       []byte
	DeviceUUID string            // empty: the parameter is left out
	Header     map[string]string // besides those that every request has; nil where there are none
	Query      map[string]string
	Concealed  []string // values of Header and Query that nobody may see, in an answer that quotes them either
	Missing    []string // required fields that came out empty; any = undeliverable
	Notes      []string // what Mindbox may refuse: fields with names over 100, texts over 1000 characters, integers over 32 bits
}

// Filter decides whether the link passes an event with these fields. An error means that a
// condition met a value that it cannot use: the event must neither be sent nor dropped. It is an
// *expression.Error.
func (l *Link) Filter(fields map[string]any) (Verdict, error) {
	c := l.compiledFor(fields)
	m := c.machines.Get()
	defer c.machines.Put(m)
	var room [8]Condition // for those of most links
	conditions, pass := room[:0], true
	for _, e := range c.when {
		v, holds, err := e.Holds(m, fields)
		if err != nil {
			return Verdict{}, err
		}
		conditions = append(conditions, Condition{Source: e.Source(), Value: v, Pass: holds})
		pass = pass && holds
	}
	if pass {
		return Verdict{Pass: true}, nil
	}
	conditions = slices.Clone(conditions)
	for i, e := range c.when {
		conditions[i].Saw = saw(e.Reads(), fields)
	}
	return Verdict{Conditions: conditions}, nil
}

// conditions computes each condition with what it saw.
func (c *compiled) conditions(fields map[string]any) ([]Condition, error) {
	m := c.machines.Get()
	defer c.machines.Put(m)
	out := make([]Condition, len(c.when))
	for i, e := range c.when {
		v, holds, err := e.Holds(m, fields)
		out[i] = Condition{Source: e.Source(), Value: v, Saw: saw(e.Reads(), fields), Pass: holds}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

func saw(reads []string, fields map[string]any) map[string]any {
	out := make(map[string]any, len(reads))
	for _, name := range reads {
		out[name] = expression.Read(fields, name)
	}
	return out
}

// Render makes the request for an event with these fields. The error is as in Filter.
func (l *Link) Render(fields map[string]any) (Rendered, error) {
	return l.compiledFor(fields).render(fields, nil)
}

// typicalBody is enough for most bodies, in bytes.
const typicalBody = 512

func (c *compiled) render(fields map[string]any, leaf func(*bodyNode, any) any) (Rendered, error) {
	m := c.machines.Get()
	defer c.machines.Put(m)
	r := rendering{machine: m, fields: fields, present: make([]bool, len(c.require)), leaf: leaf}
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
	out.Concealed = c.concealed(out)
	if c.device != nil {
		out.DeviceUUID, err = c.deviceUUID(&r)
	}
	return out, err
}

// concealed lists the values of a request that nobody may see.
func (c *compiled) concealed(r Rendered) []string {
	var out []string
	for _, n := range c.headers {
		if n.concealed() {
			out = append(out, r.Header[n.name])
		}
	}
	for _, n := range c.query {
		if n.concealed() {
			out = append(out, r.Query[n.name])
		}
	}
	return out
}

// deviceUUID leaves out what is no UUID: Mindbox would refuse the whole request.
func (c *compiled) deviceUUID(r *rendering) (string, error) {
	v, err := c.device.Value(r.machine, r.fields)
	if err != nil {
		return "", err
	}
	s, _ := v.(string)
	return expression.UUID(s), nil
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
func values(list []namedTemplate, m *expression.Machine, fields map[string]any) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make(map[string]string, len(list))
	for _, n := range list {
		if n.template == nil {
			out[n.name] = web.WithoutControls(n.secret.Value())
			continue
		}
		text, ok, err := n.template.Text(m, fields)
		if err != nil {
			return nil, err
		}
		if ok {
			out[n.name] = web.WithoutControls(text)
		}
	}
	return out, nil
}

// bodyNode is one value of a compiled body: an object, a list, or a leaf.
type bodyNode struct {
	path     string
	members  []field // of an object, in the order of the file
	items    []*bodyNode
	list     bool
	raw      []byte               // a leaf that never changes, as JSON
	template *expression.Template // any other leaf
	limit    int                  // characters that Mindbox takes
	require  int                  // place among the link's required fields, counted from 1; 0 = none
	pos      Pos
}

// field is one field of an object, with its key and colon as JSON.
type field struct {
	name  string
	key   []byte
	value *bodyNode
}

// rendering is one run over a body.
type rendering struct {
	machine *expression.Machine
	fields  map[string]any
	present []bool                       // by bodyNode.require
	notes   []string                     // see Rendered.Notes
	leaf    func(n *bodyNode, v any) any // Explain looks at, and masks, each value; nil in Render
}

// append appends the value; ok is false where nothing came, and then nothing was appended.
func (n *bodyNode) append(b []byte, r *rendering) (out []byte, ok bool, err error) {
	switch {
	case n.raw != nil:
		b, ok = append(b, n.raw...), true
	case n.template != nil:
		b, ok, err = n.appendLeaf(b, r)
	case n.list:
		b, ok, err = n.appendList(b, r)
	default:
		b, ok, err = n.appendObject(b, r)
	}
	if ok && n.require > 0 {
		r.present[n.require-1] = true
	}
	return b, ok, err
}

func (n *bodyNode) appendObject(b []byte, r *rendering) ([]byte, bool, error) {
	start := len(b)
	b = append(b, '{')
	some := false
	for i := range n.members {
		m := &n.members[i]
		before := len(b)
		if some {
			b = append(b, ',')
		}
		out, ok, err := m.value.append(append(b, m.key...), r)
		if err != nil {
			return b, false, err
		}
		if b = out; !ok {
			b = b[:before]
		}
		some = some || ok
	}
	if !some {
		return b[:start], false, nil
	}
	return append(b, '}'), true, nil
}

func (n *bodyNode) appendList(b []byte, r *rendering) ([]byte, bool, error) {
	start := len(b)
	b = append(b, '[')
	some := false
	for _, item := range n.items {
		before := len(b)
		if some {
			b = append(b, ',')
		}
		out, ok, err := item.append(b, r)
		if err != nil {
			return b, false, err
		}
		if b = out; !ok {
			b = b[:before]
		}
		some = some || ok
	}
	if !some {
		return b[:start], false, nil
	}
	return append(b, ']'), true, nil
}

func (n *bodyNode) appendLeaf(b []byte, r *rendering) ([]byte, bool, error) {
	v, err := n.template.Value(r.machine, r.fields)
	if err != nil {
		return b, false, err
	}
	if !n.note(r, v) {
		v = nil
	}
	if r.leaf != nil {
		v = r.leaf(n, v)
	}
	if v == nil {
		return b, false, nil
	}
	out, err := n.template.AppendJSON(b, v)
	return out, err == nil, err
}

// note remarks what Mindbox may refuse, and reports whether there is anything at all.
func (n *bodyNode) note(r *rendering, v any) bool {
	switch v := v.(type) {
	case string:
		if len(v) > n.limit && len([]rune(v)) > n.limit {
			r.notes = append(r.notes, n.path)
		}
	case int64:
		if !mindbox.FitsInteger(v) {
			r.notes = append(r.notes, n.path)
		}
	case int:
		if !mindbox.FitsInteger(int64(v)) {
			r.notes = append(r.notes, n.path)
		}
	case bool, float64:
	default:
		return expression.Filled(v)
	}
	return true
}

// walk visits every node of the body.
func (n *bodyNode) walk(f func(*bodyNode)) {
	f(n)
	for _, m := range n.members {
		m.value.walk(f)
	}
	for _, item := range n.items {
		item.walk(f)
	}
}

// find is the node at a dotted path; nil when there is none.
func (n *bodyNode) find(path string) (found *bodyNode) {
	n.walk(func(c *bodyNode) {
		if c.path == path {
			found = c
		}
	})
	return found
}
