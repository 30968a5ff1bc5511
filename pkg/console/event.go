package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// eventView is all that is known of one event.
type eventView struct {
	admin.Story
	Revealed bool
	MayShow  bool // the person may see it unmasked
	MayAct   bool
	MayDrop  bool
	Command  string
	Asked    string        // the link that the address names
	Others   []linkOutcome // links of which the page says no more than that: it would be too much
}

// eventKey is the key that stands in the address. errNoPage where it is none.
func (v *visit) eventKey() (event.Key, error) {
	key, err := event.ParseKey(v.r.PathValue("site") + "/" + v.r.PathValue("kind") + "/" + v.r.PathValue("id"))
	if err != nil {
		return key, errNoPage
	}
	return key, nil
}

func (v *visit) event() error {
	key, err := v.eventKey()
	if err != nil {
		return err
	}
	return v.tell(key, admin.Mask{})
}

// tell shows an event.
func (v *visit) tell(key event.Key, m admin.Mask) error {
	story, err := v.admin.Story(v.ctx(), key, m)
	if err != nil {
		return err
	}
	told, others := v.foldStories(story.Stories)
	story.Stories = told
	view := eventView{
		Story: story, Revealed: m.Reveal, MayShow: v.who.Reveal && story.Event == nil && !story.Gone && !story.Erased, MayAct: v.may(Act), MayDrop: v.may(Admin),
		Command: "touchbox event " + word4shell(key.String()), Asked: v.r.URL.Query().Get("link"), Others: others,
	}
	if m.Reveal { // it goes from the screen by itself, without the script too
		v.w.Header().Set("Refresh", fmt.Sprintf("%d; url=%s", int(revealedFor.Seconds()), (&url.URL{Path: v.c.prefix + "/events/" + key.String()}).EscapedPath()))
	}
	v.show(page{Name: "event", Title: v.lang.Text(admin.KindWord(string(key.Kind))) + " " + admin.Mask{}.ID(key), Group: "/events", View: view})
	return nil
}

// revealedFor is how long a page shows personal data.
const revealedFor = time.Minute

// keptBack reports whether a link that has not sent an event would not send it: a condition does not hold.
func keptBack(s admin.LinkStory) bool {
	return (s.Outcome == event.Waiting || s.Outcome == event.Filtered) && slices.ContainsFunc(s.Conditions, func(c admin.ConditionView) bool { return !c.Pass })
}

// storiesWeigh is what the links' parts of an event's page may weigh, in bytes.
const storiesWeigh = 28 << 10

// foldStories leaves as many links as a page can tell of: where that is not all, the one that the address names first, then those that
// matter most. Of the others it says what became of the event.
func (v *visit) foldStories(all []admin.LinkStory) (told []admin.LinkStory, others []linkOutcome) {
	asked := v.r.URL.Query().Get("link")
	first := func(s admin.LinkStory) int { return map[bool]int{true: 0, false: 1}[s.Link == asked] }
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(x, y admin.LinkStory) int {
		return cmp.Or(first(x)-first(y), matters(x.Outcome)-matters(y.Outcome))
	})
	left := storiesWeigh
	for i, s := range sorted {
		if left -= weightOf(s); left < 0 && i > 0 {
			others = append(others, linkOutcome{s.Link, s.Outcome})
			continue
		}
		told = append(told, s)
	}
	if len(others) == 0 && asked == "" {
		return all, nil
	}
	return told, others
}

// weightOf is about how many bytes a link's part of the page has.
func weightOf(s admin.LinkStory) int {
	const frame, line, record = 1200, 90, 500
	n := frame + len(s.Error) + record*len(s.Records)
	for _, r := range s.Records {
		n += len(r.Answer) + len(r.Detail)
	}
	for _, c := range s.Conditions {
		n += 2*line + len(c.Source)
		for _, saw := range c.Saw {
			n += line + len(saw.Text)
		}
	}
	for _, b := range s.Body {
		n += line + len(b.Path) + len(b.Text)
	}
	for _, e := range s.Empty {
		n += line + len(e.Name) + len(e.Text)
	}
	return n
}

// Happened is when the call or request happened; zero where that is not known any more.
func (e eventView) Happened() time.Time {
	if e.Time == nil {
		return time.Time{}
	}
	return *e.Time
}
