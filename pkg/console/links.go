package console

import (
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// linksView is a list of links.
type linksView struct {
	Links   []admin.LinkStatus
	Total   int
	Next    string // address of those that come behind
	Command string
}

func (v *visit) links() error {
	now, err := v.c.standing.read(v.ctx(), v.admin)
	if err != nil {
		return err
	}
	view := linksView{Links: now.links, Total: len(now.links), Command: "touchbox links"}
	if after := v.r.FormValue("after"); after != "" {
		view.Links = slices.DeleteFunc(slices.Clone(view.Links), func(l admin.LinkStatus) bool { return l.ID <= after })
	}
	if len(view.Links) > mostRows {
		view.Links = view.Links[:mostRows]
		view.Next = "/links?after=" + queryOf(view.Links[mostRows-1].ID)
	}
	v.show(page{Name: "links", Title: v.lang.Text("Links"), Group: "/links", View: view})
	return nil
}

// linkView is one link: how it stands, what the file says, and what it was before.
type linkView struct {
	Status    admin.LinkStatus
	Card      admin.LinkCard
	Month     chart
	Days      []span // the newest first
	Attention []attention
	MayAct    bool
	Command   string
}

func (v *visit) link() error {
	id := v.r.PathValue("id")
	now, err := v.c.standing.read(v.ctx(), v.admin)
	if err != nil {
		return err
	}
	for _, l := range now.links {
		if l.ID != id {
			continue
		}
		card, err := v.admin.LinkCard(v.ctx(), id)
		if err != nil {
			return err
		}
		view := linkView{Status: l, Card: card, MayAct: v.may(Act), Command: "touchbox links"}
		view.Days = perDay(v.c.hours(id, hoursOfMonth), v.c.Zone())
		view.Month = draw(v.lang, v.lang.Sprintf("%s, the last 30 days", id), view.Days)
		slices.Reverse(view.Days)
		if view.Attention, err = v.needs("/links/"+queryOf(id), func(a admin.Attention) bool { return a.Subject == id && !slices.Contains(ofSites, a.Kind) }); err != nil {
			return err
		}
		v.show(page{Name: "link", Title: v.lang.Sprintf("Link %s", id), Group: "/links", View: view})
		return nil
	}
	return errNoPage
}

// ofSites are the kinds of what needs a person whose subject is a site; a link may have the same name.
var ofSites = []admin.AttentionKind{admin.AttentionSilence, admin.AttentionAside, admin.AttentionUnread}

// became are the outcomes of a link's events: those that say how it does in any case, others where there are some.
func became(c admin.Counts) (list []outcomeCount) {
	const always = 5
	for i, one := range []outcomeCount{
		{event.Delivered, c.Delivered}, {event.Filtered, c.Filtered}, {event.Undeliverable, c.Undeliverable}, {event.Waiting, c.Waiting}, {event.Dead, c.Dead},
		{event.Shadow, c.Shadow}, {event.Abandoned, c.Abandoned}, {event.Erased, c.Erased}, {event.Untaken, c.Untaken},
	} {
		if i < always || one.Count > 0 {
			list = append(list, one)
		}
	}
	return list
}

// differenceView is what was changed between two versions of a link.
type differenceView struct {
	ID, From, To string
	Lines        []differenceLine
	Command      string
}

// differenceLine is one of a unified diff; its first sign says what it is, and the class of the stylesheet says it again.
type differenceLine struct{ Text, Class string }

func (v *visit) difference() error {
	view := differenceView{ID: v.r.PathValue("id"), From: v.r.PathValue("from"), To: v.r.PathValue("to")}
	text, err := v.admin.VersionDiff(v.ctx(), view.ID, view.From, view.To)
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		view.Lines = append(view.Lines, differenceLine{strings.TrimSuffix(line, "\n"), map[byte]string{'+': "good", '-': "bad"}[line[0]]})
	}
	view.Command = "touchbox links history " + word4shell(view.ID) + " " + word4shell(view.From) + " " + word4shell(view.To)
	v.show(page{Name: "difference", Title: v.lang.Sprintf("What was changed in link %s", view.ID), Group: "/links", View: view})
	return nil
}

// sitesView is a list of sites.
type sitesView struct{ Sites []admin.SiteCard }

func (v *visit) sites() error {
	cards, err := v.siteCards()
	if err != nil {
		return err
	}
	v.show(page{Name: "sites", Title: v.lang.Text("Sites"), Group: "/sites", View: sitesView{cards}})
	return nil
}

func (v *visit) siteCards() ([]admin.SiteCard, error) {
	now, err := v.c.standing.read(v.ctx(), v.admin)
	return v.admin.SiteCards(now.sites), err
}

// siteView is one site.
type siteView struct {
	admin.SiteCard
	Backfill  *backfillForm // nil: not offered
	Attention []attention
	Command   string
}

func (v *visit) site() error {
	cards, err := v.siteCards()
	if err != nil {
		return err
	}
	for _, c := range cards {
		if c.ID == v.r.PathValue("id") {
			needs, err := v.needs("/sites/"+queryOf(c.ID), func(a admin.Attention) bool { return a.Subject == c.ID && slices.Contains(ofSites, a.Kind) })
			if err != nil {
				return err
			}
			v.show(page{Name: "site", Title: v.lang.Sprintf("Site %s", c.Name), Group: "/sites", View: siteView{c, v.backfillForm(c), needs, "touchbox fields"}})
			return nil
		}
	}
	return errNoPage
}
