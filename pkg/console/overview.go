package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// overviewView is the first page: whether all is well, what needs a person, how links and sites stand.
type overviewView struct {
	At            time.Time
	Read          float64 // of what there is to read
	Counted       bool    // the counts are known
	Taken         int     // events that links took
	Delivered     int
	Filtered      int
	Waiting       int
	Undeliverable int
	Dead          int
	Lost          int
	Attention     []attention
	More          int // things that need a person, besides
	Links         []admin.LinkStatus
	MoreLinks     int
	Sites         []admin.SourceStatus
	MoreSites     int
	MayAct        bool
}

// What the first page shows at most, so that it loads at once whatever there is: the pages of links and sites have all.
const (
	mostAttention = 15
	mostLinks     = 40
	mostSites     = 30
)

// firstOf are the first so many of a list, and how many there are besides.
func firstOf[T any](list []T, most int) ([]T, int) {
	if len(list) <= most {
		return list, 0
	}
	return list[:most], len(list) - most
}

// troubled are the links over which something is not as it should be first, where not all can be shown.
func troubled(links []admin.LinkStatus) ([]admin.LinkStatus, int) {
	if len(links) > mostLinks {
		links = slices.Clone(links)
		slices.SortStableFunc(links, func(x, y admin.LinkStatus) int { return trouble(x) - trouble(y) })
	}
	return firstOf(links, mostLinks)
}

// trouble is less where a link needs a look.
func trouble(l admin.LinkStatus) int {
	switch {
	case l.State != admin.StateRunning && l.State != admin.StateShadow:
		return 0
	case l.DeadLetters > 0:
		return 1
	case l.Retries > 0 || l.Unread > 0:
		return 2
	}
	return 3
}

// standing is how links and sites stood at a moment.
type standing struct {
	at        time.Time
	links     []admin.LinkStatus
	sites     []admin.SourceStatus
	read      float64 // share of what there is to read that was read; below 1 outcomes and sites are not known
	attention []admin.Attention
}

// standings give how they stand: the board knows it, whoever asks.
type standings struct{ board func() *admin.Board }

func (s standings) read(ctx context.Context, a admin.Admin) (standing, error) {
	now, err := a.Standing(ctx)
	return standingOf(now), err
}

func standingOf(now admin.Standing) standing {
	return standing{now.At, now.Links, now.Sites, now.Read, now.Attention}
}

// forget has the next one read anew: something was changed just now.
func (s standings) forget() {
	if board := s.board(); board != nil {
		board.Refresh(context.Background())
	}
}

func (v *visit) overview() error {
	now, err := v.c.standing.read(v.ctx(), v.admin)
	if err != nil {
		return err
	}
	view := overviewView{At: now.at, Read: now.read, MayAct: v.may(Act)}
	view.Attention, view.More = firstOf(append(v.attention(now), v.jobsToMend()...), mostAttention)
	view.Links, view.MoreLinks = troubled(now.links)
	view.Sites, view.MoreSites = firstOf(now.sites, mostSites)
	for _, l := range now.links {
		if o := l.Outcomes; o != nil {
			view.Counted = true
			view.Taken += o.Taken
			view.Delivered += o.Delivered
			view.Filtered += o.Filtered
			view.Undeliverable += o.Undeliverable
			view.Waiting += o.Waiting
			view.Dead += o.Dead
			view.Lost += o.Abandoned
		}
	}
	view.Counted = view.Counted || len(now.links) == 0
	v.show(page{Name: "overview", Title: v.lang.Text("Overview"), Group: "/", View: view})
	return nil
}

// navigation is the bar of every page, with the counts that matter.
func (v *visit) navigation(p page) (bar, more []navItem) {
	var dead, waiting uint64
	var now standing
	err := errNoPage
	if p.Status < http.StatusInternalServerError { // else it would be waited for once more
		now, err = v.c.standing.read(v.ctx(), v.admin)
	}
	if err == nil {
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
		{Href: "/retries", Label: v.lang.Text("Retries"), Count: waiting},
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
			list[i].Now = list[i].Href == p.Group
		}
	}
	return bar, more
}
