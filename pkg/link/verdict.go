package link

// Verdict says whether a link passes an event.
type Verdict struct {
	Pass bool
	// Conditions are all of `when`, in their order. Filter leaves them out of a verdict that
	// passes; Explain has them always.
	Conditions []Condition
}

// Condition is one condition of `when` with the values that it saw. Saw holds personal data.
type Condition struct {
	Source string         // as it stands in the file
	Value  any            // what it came to; nil counts as false
	Saw    map[string]any // field to value; nil where nothing came
	Pass   bool
}

// Rendered are the parts of the request for one event. They hold personal data.
type Rendered struct {
	Body       []byte
	DeviceUUID string            // empty: the parameter is left out
	Header     map[string]string // besides those that every request has
	Query      map[string]string
	Missing    []string // required fields that came out empty; any = undeliverable
	Notes      []string // what Mindbox may refuse: paths of names over 100, texts over 1000 characters, integers over 32 bits
}

// Filter decides whether the link passes an event with these fields. An error means that a
// condition met a value that it cannot use: the event must neither be sent nor dropped. It names
// the condition and no value.
func (l *Link) Filter(fields map[string]any) (Verdict, error) { return Verdict{}, nil }

// Render makes the request for an event with these fields. The error is as in Filter.
func (l *Link) Render(fields map[string]any) (Rendered, error) { return Rendered{}, nil }

type programs struct{}
