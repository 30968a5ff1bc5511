package console

import (
	"github.com/touchbox/touchbox/pkg/admin"
)

// linksView is a list of links.
type linksView struct {
	Links   []admin.LinkStatus
	Command string
}

func (v *visit) links() error {
	now, err := v.c.standing.read(v.ctx(), v.admin)
	if err != nil {
		return err
	}
	v.show(page{Name: "links", Title: v.lang.Text("Links"), Group: "/links", View: linksView{now.links, "touchbox links"}})
	return nil
}

// linkView is one link: how it stands, what the file says, and what it was before.
type linkView struct {
	Status  admin.LinkStatus
	Card    admin.LinkCard
	MayAct  bool
	Command string
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
		v.show(page{Name: "link", Title: v.lang.Sprintf("Link %s", id), Group: "/links", View: linkView{l, card, v.may(Act), "touchbox links"}})
		return nil
	}
	return errNoPage
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
	Backfill *backfillForm // nil: not offered
	Command  string
}

func (v *visit) site() error {
	cards, err := v.siteCards()
	if err != nil {
		return err
	}
	for _, c := range cards {
		if c.ID == v.r.PathValue("id") {
			v.show(page{Name: "site", Title: v.lang.Sprintf("Site %s", c.Name), Group: "/sites", View: siteView{c, v.backfillForm(c), "touchbox fields"}})
			return nil
		}
	}
	return errNoPage
}
