package link

import (
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Trial is what a link makes of an event before anything is sent. It holds personal data.
type Trial struct {
	Outcome    event.Outcome // delivered stands for "would be sent", dead for what Err or Expired says
	Conditions []Condition   // all of `when`, up to one that failed
	Rendered   Rendered      // zero where it is not rendered
	Expired    bool          // it is too old to be sent
	Err        error         // of an expression, see Filter
}

// Try says what the link makes of an event that a worker has in hand at a moment. Where the link starts
// does not count: that stands in STATE.
func (l *Link) Try(fields map[string]any, now time.Time) Trial {
	t := l.try(fields, nil, !everything)
	happened, ok := fields["time"].(time.Time)
	if ok && (t.Outcome == event.Delivered || t.Outcome == event.Shadow) && l.Expired(happened, now) {
		t.Outcome, t.Expired = event.Dead, true
	}
	return t
}

// everything asks try to render what would not be sent, too.
const everything = true

// try goes through the stages of a worker in their order, up to the one that decides; with all of them, for people to see, it renders
// in any case. leaf is as in render.
func (l *Link) try(fields map[string]any, leaf func(*bodyNode, any) any, all bool) (t Trial) {
	c := l.compiledFor(fields)
	taken := l.takes(fields)
	if !taken && !all {
		return Trial{Outcome: event.Untaken}
	}
	conditions, failed := c.conditions(fields)
	t.Conditions = conditions
	pass := !slices.ContainsFunc(conditions, func(c Condition) bool { return !c.Pass })
	var unrendered error
	if failed == nil && (pass || all) {
		t.Rendered, unrendered = c.render(fields, leaf)
	}
	switch {
	case !taken:
		t.Outcome = event.Untaken
	case failed != nil:
		t.Outcome, t.Err = event.Dead, failed
	case !pass:
		t.Outcome = event.Filtered
	case unrendered != nil:
		t.Outcome, t.Err = event.Dead, unrendered
	case len(t.Rendered.Missing) > 0:
		t.Outcome = event.Undeliverable
	case l.Shadow:
		t.Outcome = event.Shadow
	default:
		t.Outcome = event.Delivered
	}
	return t
}

// takes reports whether the link reads events of this site and kind at all. What is not said
// counts as yes.
func (l *Link) takes(fields map[string]any) bool {
	site, said := fields["siteId"].(string)
	if said && !slices.Contains(l.Sites, site) {
		return false
	}
	kind, said := fields["kind"].(string)
	return !said || slices.ContainsFunc(l.Kinds, func(k event.Kind) bool { return k.Dotted() == kind })
}

// Expired reports whether what happened then is too old to be sent now.
func (l *Link) Expired(happened, now time.Time) bool {
	return l.Expire > 0 && now.Sub(happened) > l.Expire
}

// When are the conditions of the link, as they stand in the file.
func (l *Link) When() []string {
	when := make([]string, len(l.variants[0].when))
	for i, e := range l.variants[0].when {
		when[i] = e.Source()
	}
	return when
}
