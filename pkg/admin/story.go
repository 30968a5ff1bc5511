package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

// Story is an event as a page tells it: its view, and of each link each condition's verdict and the body, as the version
// that decided has made them and as today's would.
type Story struct {
	EventView
	Gone    bool        // the event is kept no longer, only what became of it
	Values  []Value     // its fields, by name
	Stories []LinkStory // of each link of EventView.Links
}

// LinkStory is what a link made of an event, and would make of it today.
type LinkStory struct {
	LinkView
	Title      string
	InFile     bool // the link is in the file
	Due        bool // it waits for a worker alone
	Conditions []ConditionView
	Then       string // the version that Conditions and the body are of; "" where nobody kept it: they are today's
	Changed    bool   // today's version is another one
	Body       []BodyLine
	Differs    int     // lines that today's body has otherwise
	Empty      []Value // fields that came out empty, with what they read
	Error      string  // of an expression
}

// ConditionView is what one condition of a link came to.
type ConditionView struct {
	Source string
	Pass   bool
	Saw    []Value
}

// Value is something by its name, as it may be shown.
type Value struct {
	Name, Text string
	Time       time.Time // what Text says, where it is a time: a page says it in its own zone
}

// BodyLine is one field of a request's body.
type BodyLine struct {
	Mark string // "" in both; "-" as it went, "+" as it would go today
	Path string
	Text string
}

// Story tells all of an event. ErrUnknown: nothing is known of it.
func (a Admin) Story(ctx context.Context, key event.Key, m Mask) (Story, error) {
	t, err := a.Timeline(ctx, key)
	if err != nil {
		return Story{}, err
	}
	s := Story{EventView: a.EventView(t, m), Gone: t.Event == nil && !t.Erased}
	if !t.Known() {
		return s, fmt.Errorf("event %s: %w", key, ErrUnknown)
	}
	s.Values = values(s.Fields)
	for i, l := range t.Links {
		one, err := a.linkStory(ctx, t, l, m)
		if err != nil {
			return s, err
		}
		one.LinkView = s.Links[i]
		s.Stories = append(s.Stories, one)
	}
	return s, nil
}

func (a Admin) linkStory(ctx context.Context, t Timeline, l LinkTimeline, m Mask) (LinkStory, error) {
	s := LinkStory{Due: l.Retry != nil && l.Retry.Due}
	today := a.File.Link(l.Link)
	if today != nil {
		s.Title, s.InFile = today.Title, true
	}
	e := t.Event
	if e == nil && l.DeadLetter != nil {
		e = &l.DeadLetter.Event
	}
	if e == nil || l.Outcome == event.Untaken {
		return s, nil
	}
	fields, err := a.fields(*e)
	if err != nil {
		return s, nil // the view says why
	}
	then := today
	if hash := decidedBy(l); hash != "" {
		past, err := a.version(ctx, hash, l.Link)
		if err != nil && !errors.Is(err, queue.ErrNotFound) {
			return s, err
		}
		if err == nil {
			then, s.Then = past, hash
		}
	}
	if then == nil {
		return s, nil
	}
	s.tell(then.Explain(fields, m.Reveal), m)
	if today != nil && s.Then != "" && today.Version != s.Then {
		s.Changed = true
		s.compare(then.Explain(fields, m.Reveal), today.Explain(fields, m.Reveal))
	}
	return s, nil
}

// decidedBy is the version of the link that decided last.
func decidedBy(l LinkTimeline) string {
	for _, r := range slices.Backward(l.Records) {
		if r.Version != "" {
			return r.Version
		}
	}
	if l.DeadLetter != nil {
		return l.DeadLetter.Version
	}
	return ""
}

// tell takes over what a version makes of the event.
func (s *LinkStory) tell(e link.Explanation, m Mask) {
	for _, c := range e.Conditions {
		s.Conditions = append(s.Conditions, ConditionView{Source: c.Source, Pass: c.Pass, Saw: values(c.Saw)})
	}
	for _, empty := range e.Empty {
		s.Empty = append(s.Empty, Value{Name: empty.Path, Text: empty.Source})
	}
	s.Error = m.Text(e.Error)
	for _, leaf := range leaves(e) {
		s.Body = append(s.Body, BodyLine{Path: leaf.Name, Text: leaf.Text})
	}
}

// compare marks what another version makes otherwise of the body.
func (s *LinkStory) compare(then, now link.Explanation) {
	before, after := leaves(then), leaves(now)
	s.Body, s.Differs = nil, 0
	texts := map[string]string{}
	for _, leaf := range after {
		texts[leaf.Name] = leaf.Text
	}
	for _, leaf := range before {
		text, there := texts[leaf.Name]
		delete(texts, leaf.Name)
		if there && text == leaf.Text {
			s.Body = append(s.Body, BodyLine{Path: leaf.Name, Text: leaf.Text})
			continue
		}
		s.Differs++
		s.Body = append(s.Body, BodyLine{"-", leaf.Name, leaf.Text})
		if there {
			s.Body = append(s.Body, BodyLine{"+", leaf.Name, text})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		s.Differs++
		s.Body = append(s.Body, BodyLine{"+", name, texts[name]})
	}
}

// leaves are the fields of a rendered body, by their paths.
func leaves(e link.Explanation) []Value {
	if e.Request == nil {
		return nil
	}
	var body any
	decoder := json.NewDecoder(strings.NewReader(string(e.Request.Body)))
	decoder.UseNumber()
	if decoder.Decode(&body) != nil {
		return nil
	}
	var list []Value
	walk("", body, func(path string, leaf any) { list = append(list, Value{Name: path, Text: jsonLine(leaf)}) })
	return list
}

// walk visits the leaves of what JSON can hold, in the order of their paths.
func walk(path string, v any, visit func(path string, leaf any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			walk(strings.TrimPrefix(path+"."+name, "."), v[name], visit)
		}
	case []any:
		for i, one := range v {
			walk(path+"["+strconv.Itoa(i)+"]", one, visit)
		}
	default:
		visit(path, v)
	}
}

// values are a map's, by name, each on one line that is safe to print.
func values(m map[string]any) []Value {
	list := make([]Value, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		at, _ := m[name].(time.Time)
		list = append(list, Value{show.Printable(name), valueLine(m[name]), at})
	}
	return list
}

func valueLine(v any) string {
	switch v := v.(type) {
	case nil:
		return "—"
	case string:
		return show.Printable(v)
	case []string:
		return show.Printable(strings.Join(v, ", "))
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return jsonLine(v)
}

func jsonLine(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return show.Printable(fmt.Sprint(v))
	}
	return show.Printable(strings.TrimSuffix(b.String(), "\n"))
}
