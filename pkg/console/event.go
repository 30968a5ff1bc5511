package console

import (
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
	view := eventView{
		Story: story, Revealed: m.Reveal, MayShow: v.who.Reveal && story.Event == nil && !story.Gone && !story.Erased, MayAct: v.may(Act), MayDrop: v.may(Admin),
		Command: "touchbox event " + word4shell(key.String()),
	}
	v.show(page{Name: "event", Title: v.lang.Text(admin.KindWord(string(key.Kind))) + " " + admin.Mask{}.ID(key), Group: "/events", View: view})
	return nil
}

// Happened is when the call or request happened; zero where that is not known any more.
func (e eventView) Happened() time.Time {
	if e.Time == nil {
		return time.Time{}
	}
	return *e.Time
}
