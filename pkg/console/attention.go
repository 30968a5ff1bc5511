package console

import (
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// attention is one thing that needs a person: what happened, since when, what to do, and where.
type attention struct {
	What     string
	Since    time.Time
	Seen     bool // it was seen since then, and may be older
	Hint     string
	Href     string
	Link     string // text of the way there
	Alarming bool   // nothing mends it but a person
}

// attention lists what needs a person, the worst first.
func (v *visit) attention(now standing) []attention {
	var list []attention
	if since := v.c.brokenSince(); !since.IsZero() {
		list = append(list, v.inWords(admin.Attention{Kind: admin.AttentionConfig, Since: since, Seen: true}))
	}
	for _, one := range now.attention {
		list = append(list, v.inWords(one))
	}
	return list
}

// needs lists what needs a person of what a page is about: nothing leads from the page to itself.
func (v *visit) needs(page string, about func(admin.Attention) bool) ([]attention, error) {
	now, err := v.c.standing.read(v.ctx(), v.admin)
	var list []attention
	for _, one := range now.attention {
		if !about(one) {
			continue
		}
		line := v.inWords(one)
		if line.Href == page {
			line.Link = ""
		}
		list = append(list, line)
	}
	return list, err
}

// inWords says to a person what needs one. What happened is a sentence, and so is what to do.
func (v *visit) inWords(one admin.Attention) attention {
	line := attention{Since: one.Since, Seen: one.Seen, Alarming: true}
	says := func(what, hint, href, link string) {
		line.What, line.Hint, line.Href, line.Link = what, hint, href, link
	}
	l := v.lang
	id, path := one.Subject, queryOf(one.Subject)
	switch one.Kind {
	case admin.AttentionConfig:
		says(l.Text("The file on disk has mistakes: the one before it stays in force."), l.Text("`touchbox check` names them with their places."), "/settings", l.Text("Settings"))
	case admin.AttentionUnwell:
		says(l.Sprintf("The queue is unwell, and nothing is delivered over %s: %s", id, one.Why), l.Text("What is stored is not lost. `touchbox doctor` says what is wrong, as a rule the disk."), "/health", l.Text("Health"))
	case admin.AttentionAbandoned:
		says(l.Sprintf("Lost over %s: %d. The log was full, or the link was removed, before they were read.", id, one.N),
			l.Text("`touchbox replay --outcome abandoned` sends again what is still stored; `touchbox backfill` fetches the rest from Calltouch. Raise keep.disk."),
			"/events?outcome=abandoned&link="+path, l.Text("Which ones"))
	case admin.AttentionLost:
		says(l.Sprintf("Events wait for %s that nothing holds any more.", id), l.Text("`touchbox retries --restore` puts them back."), "/links/"+path, l.Text("The link"))
	case admin.AttentionDisk:
		says(l.Sprintf("%s is %d %% full.", orItself(l, streamWords[id], id), one.N), l.Text("Raise keep.disk, or see what holds it up: a link that is stopped, or letters that nobody sends again."), "/health", l.Text("Health"))
	case admin.AttentionDead:
		says(l.Sprintf("Not delivered over %s: %d, because of: %s.", id, one.N, l.Text(admin.ReasonWord(one.Why))),
			orItself(l, admin.ReasonHints[one.Why], l.Text("Mend the cause, then send them again: nothing is lost until they are older than `keep.deadletters` says.")),
			"/causes/"+queryOf(one.Cause), l.Text("See why"))
	case admin.AttentionSilence:
		says(l.Sprintf("Nothing has come from site %s for longer than is usual for it.", v.c.siteName(id)), l.Text("Look at its webhook in Calltouch: the address stands on the site's page."), "/sites/"+path, l.Text("The site"))
	case admin.AttentionAside:
		says(l.Sprintf("Much of what comes from site %s is set aside.", v.c.siteName(id)), l.Text("The reasons stand beside what was set aside; what is mended can be taken again."), "/aside?site="+path, l.Text("Set aside"))
	case admin.AttentionUnread:
		says(l.Sprintf("Calltouch's API does not list some days of site %s.", v.c.siteName(id)), l.Text("They are asked for again and again; `touchbox gaps` shows what is missing."), "/sites/"+path, l.Text("The site"))
	case admin.AttentionParked:
		line.Alarming = false
		code, _, _ := strings.Cut(one.Why, ": ")
		says(l.Sprintf("%s is paused: %s.", id, because(l, admin.StateParked, one.Why)), strings.TrimSpace(orItself(l, admin.ReasonHints[code], "")+" "+l.Text("Events wait and none is lost; it goes on by itself as soon as Mindbox answers otherwise.")), "/links/"+path, l.Text("The link"))
	case admin.AttentionStopped:
		line.Alarming = false
		says(l.Sprintf("%s was stopped by %s: %s. Waiting: %d.", id, orItself(l, one.By, "?"), one.Why, one.N), l.Text("Events wait, and none is lost as long as the log has room. Let it go on when the reason is gone."), "/links/"+path, l.Text("The link"))
	case admin.AttentionGone:
		line.Alarming = false
		says(l.Sprintf("%s is not in the file any more and keeps its place.", id), l.Sprintf("`touchbox links remove %s` gives it up.", id), "/links/"+path, l.Text("The link"))
	case admin.AttentionDiffers:
		line.Alarming = false
		says(l.Sprintf("%s runs on other events than the file says now.", id), l.Sprintf("`touchbox links reset %s` brings it to the file.", id), "/links/"+path, l.Text("The link"))
	}
	return line
}

// brokenSince is since when this console knows that the file has mistakes; zero where it has none.
func (c *Console) brokenSince() time.Time {
	c.broken.mu.Lock()
	defer c.broken.mu.Unlock()
	switch broken := c.Broken(); {
	case !broken:
		c.broken.since = time.Time{}
	case c.broken.since.IsZero():
		c.broken.since = c.Now()
	}
	return c.broken.since
}
