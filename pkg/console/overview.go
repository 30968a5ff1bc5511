package console

import (
	"context"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// overviewView is the first page: whether all is well, what needs a person, how links and sites stand.
type overviewView struct {
	At        time.Time
	Taken     int // events that links took
	Delivered int
	Waiting   int
	Dead      int
	Lost      int
	Attention []attention
	Links     []admin.LinkStatus
	Sites     []admin.SourceStatus
	MayAct    bool
}

// attention is one thing that needs a person: what happened, since when, what to do, and where.
type attention struct {
	What     string
	Hint     string
	Href     string
	Link     string // text of the way there
	Alarming bool   // nothing mends it but a person
}

// standing is how links and sites stood at a moment.
type standing struct {
	at    time.Time
	links []admin.LinkStatus
	sites []admin.SourceStatus
}

// standings are how they stand, as of a moment ago: reading them takes a second, so they are read beside the
// requests, once for all who look.
type standings struct {
	mu    sync.Mutex
	busy  bool
	last  standing
	after time.Time // what was read before it is of no use
}

// Bounds of the standings: how long what was read is fresh, and for how long it may be shown while it is read anew. Who comes
// back to the page in the morning must not see the evening.
const (
	standingsFresh = 2 * time.Second
	standingsShown = 10 * time.Second
	standingsRead  = 30 * time.Second
)

// read gives how links and sites stand. What is no longer fresh is read anew behind the one who asks.
func (s *standings) read(ctx context.Context, a admin.Admin) (standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch age := time.Since(s.last.at); {
	case age < standingsFresh:
		return s.last, nil
	case age < standingsShown:
		if !s.busy {
			s.busy = true
			go s.renew(context.WithoutCancel(ctx), a)
		}
		return s.last, nil
	}
	now, err := stand(ctx, a)
	if err == nil {
		s.last = now
	}
	return now, err
}

func stand(ctx context.Context, a admin.Admin) (standing, error) {
	at := time.Now()
	links, sites, err := a.LinksWithOutcomes(ctx)
	return standing{at, links, sites}, err
}

func (s *standings) renew(ctx context.Context, a admin.Admin) {
	ctx, cancel := context.WithTimeout(ctx, standingsRead)
	defer cancel()
	now, err := stand(ctx, a)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	if err == nil && now.at.After(s.last.at) && now.at.After(s.after) { // else the page that asks when it has grown old says so
		s.last = now
	}
}

// forget has the next one read anew: something was changed just now.
func (s *standings) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.after = standing{}, time.Now()
}

func (v *visit) overview() error {
	now, err := v.c.standing.read(v.ctx(), v.admin)
	if err != nil {
		return err
	}
	view := overviewView{At: now.at, Links: now.links, Sites: now.sites, MayAct: v.may(Act), Attention: v.attention(now.links)}
	view.Attention = append(view.Attention, v.jobsToMend()...)
	for _, l := range now.links {
		if o := l.Outcomes; o != nil {
			view.Taken += o.Taken
			view.Delivered += o.Delivered
			view.Waiting += o.Waiting
			view.Dead += o.Dead
			view.Lost += o.Abandoned
		}
	}
	v.show(page{Name: "overview", Title: v.lang.Text("Overview"), Group: "/", View: view})
	return nil
}

// attention lists what needs a person, the worst first.
func (v *visit) attention(links []admin.LinkStatus) []attention {
	var worst, rest []attention
	if v.c.Broken() {
		worst = append(worst, attention{What: v.lang.Text("The file on disk has mistakes: the one before it stays in force."), Hint: v.lang.Text("`touchbox check` names them with their places."), Href: "/settings", Link: v.lang.Text("Settings"), Alarming: true})
	}
	for _, l := range links {
		if l.DeadLetters > 0 {
			worst = append(worst, attention{
				What: v.lang.Sprintf("Not delivered over %s: %d.", l.ID, l.DeadLetters), Hint: v.lang.Text("Mend the cause, then send them again: nothing is lost until they are older than `keep.deadletters` says."),
				Href: "/causes?link=" + queryOf(l.ID), Link: v.lang.Text("See why"), Alarming: true,
			})
		}
		switch {
		case l.State == admin.StateUnwell:
			worst = append(worst, attention{What: v.lang.Sprintf("The queue is unwell, and nothing is delivered over %s: %s", l.ID, l.Why), Href: "/health", Link: v.lang.Text("Health"), Alarming: true})
		case l.State == admin.StateParked:
			rest = append(rest, attention{What: v.lang.Sprintf("%s is paused: %s.", l.ID, l.Why), Hint: v.lang.Text("Events wait and none is lost; it goes on by itself as soon as Mindbox answers otherwise."), Href: "/links/" + l.ID, Link: v.lang.Text("The link")})
		case l.State == admin.StateGone:
			rest = append(rest, attention{What: v.lang.Sprintf("%s is not in the file any more and keeps its place.", l.ID), Hint: v.lang.Sprintf("`touchbox links remove %s` gives it up.", l.ID), Href: "/links/" + l.ID, Link: v.lang.Text("The link")})
		}
		if l.Differs {
			rest = append(rest, attention{What: v.lang.Sprintf("%s runs on other events than the file says now.", l.ID), Hint: v.lang.Sprintf("`touchbox links reset %s` brings it to the file.", l.ID), Href: "/links/" + l.ID, Link: v.lang.Text("The link")})
		}
	}
	return append(worst, rest...)
}

// navigation is the bar of every page, with the counts that matter.
func (v *visit) navigation(group string) (bar, more []navItem) {
	var dead, waiting uint64
	if now, err := v.c.standing.read(v.ctx(), v.admin); err == nil {
		for _, l := range now.links {
			dead += l.DeadLetters
			waiting += l.Retries
		}
	}
	bar = []navItem{
		{Href: "/", Label: v.lang.Text("Overview")},
		{Href: "/live", Label: v.lang.Text("Live")},
		{Href: "/events", Label: v.lang.Text("Events")},
		{Href: "/causes", Label: v.lang.Text("Not delivered"), Count: dead, Alarming: true},
		{Href: "/retries", Label: v.lang.Text("Waiting"), Count: waiting},
		{Href: "/aside", Label: v.lang.Text("Set aside")},
		{Href: "/links", Label: v.lang.Text("Links")},
		{Href: "/sites", Label: v.lang.Text("Sites")},
	}
	more = []navItem{
		{Href: "/jobs", Label: v.lang.Text("Jobs")},
		{Href: "/health", Label: v.lang.Text("Health")},
		{Href: "/settings", Label: v.lang.Text("Settings")},
	}
	if v.may(Admin) {
		more = append(more, navItem{Href: "/audit", Label: v.lang.Text("Audit")}, navItem{Href: "/people", Label: v.lang.Text("People")})
	}
	for _, list := range [][]navItem{bar, more} {
		for i := range list {
			list[i].Now = list[i].Href == group
		}
	}
	return bar, more
}
