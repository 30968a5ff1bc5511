package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// peopleView is who may sign in, and who has.
type peopleView struct {
	People []personRow
	Others []personRow // who have signed in by a link or the token, and stand in no file
}

// personRow is a person with their sessions.
type personRow struct {
	admin.PersonCard
	Sessions []sessionRow
}

// sessionRow is a session that has not ended.
type sessionRow struct {
	ID    string
	Began time.Time
	Seen  time.Time
	Own   bool // it is the one that looks
}

func (v *visit) people() error {
	sessions, err := v.admin.Sessions(v.ctx())
	if err != nil {
		return err
	}
	view := peopleView{}
	for _, p := range v.c.People() {
		view.People = append(view.People, personRow{PersonCard: admin.PersonCard{Name: p.Name, Role: string(p.Role), Reveal: p.Reveal, Program: p.Program, HasKey: !p.NoKey}})
	}
	for _, s := range sessions {
		rows := &view.People
		if !s.Listed {
			rows = &view.Others
		}
		i := slices.IndexFunc(*rows, func(r personRow) bool { return r.Name == s.Name })
		switch {
		case i < 0 && s.Listed: // no longer in the file: it has ended
			continue
		case i < 0:
			i = len(*rows)
			*rows = append(*rows, personRow{PersonCard: admin.PersonCard{Name: s.Name, Role: s.Role, Reveal: s.Reveal}})
		}
		row := &(*rows)[i]
		row.Sessions = append(row.Sessions, sessionRow{ID: s.ID, Began: s.Began, Seen: s.Seen, Own: s.ID == v.who.ID})
	}
	v.show(page{Name: "people", Title: v.lang.Text("People"), Group: "/people", View: view})
	return nil
}

// endSessions signs a person out: everywhere, or where the form names one session, there.
func (v *visit) endSessions() error {
	name := v.r.PathValue("name")
	n, err := v.admin.EndSessions(v.ctx(), name, strings.TrimSpace(v.r.FormValue("session")))
	if err != nil {
		return err
	}
	return v.redirect("/people?done=sessions-ended&n=" + strconv.Itoa(n))
}
