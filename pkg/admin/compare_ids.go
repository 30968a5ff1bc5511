package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// What Touchbox knows of an id that has no outcome for the link.
const (
	KnownNever = "never_came" // nothing of this id is stored
	KnownAside = "aside"      // it was set aside; why says for which reason
	KnownOther = "not_read"   // it is an event of a site or kind that the link does not read
)

// IDGroup are ids of which the same is known.
type IDGroup struct {
	Outcome string `json:"outcome"`       // of the link, or one of the words above
	Why     string `json:"why,omitempty"` // the reason, the condition or the field
	Count   int    `json:"count"`
	Example string `json:"example"` // a key, or the id itself
}

// IDComparison is what a link sent beside a list of ids that another system says it delivered. A link in shadow mode
// counts as if it had sent.
type IDComparison struct {
	Link      string    `json:"link"`
	Given     int       `json:"given"` // different ids
	Since     time.Time `json:"since"` // the span whose events are compared: what is only here is from it
	Until     time.Time `json:"until"`
	Both      int       `json:"both"`
	OnlyHere  []IDGroup `json:"only_here"`  // sent here, and not in the list
	OnlyThere []IDGroup `json:"only_there"` // in the list, and not sent here: what Touchbox knows of them
}

// IDOptions say what is compared with which ids.
type IDOptions struct {
	Link         string
	IDs          []string  // Calltouch's ids, or keys
	Since, Until time.Time // when the call or request happened; zero: from the first to the last event of the list

	// Each is told of each id that only one side has: with its key or, where there is none, the id; nil tells nobody.
	Each func(id string, here bool, g IDGroup)
}

// idComparer compares a link with ids, on its way.
type idComparer struct {
	admin  Admin
	o      IDOptions
	link   linkInfo
	ids    map[string]bool // true: found
	here   []unlisted
	groups [2]map[IDGroup]*IDGroup // only there, only here
	result IDComparison
}

// unlisted is an event that the link sent and that the list does not have.
type unlisted struct {
	at      time.Time
	key     string
	outcome event.Outcome
}

// CompareIDs says which events a link sent, by what the history says, and another system did not, and the other way round, with what is known of
// each. ErrNoLink.
func (a Admin) CompareIDs(ctx context.Context, o IDOptions) (IDComparison, error) {
	k, err := a.link(ctx, o.Link)
	if err != nil {
		return IDComparison{}, err
	}
	c := &idComparer{admin: a, o: o, link: k, ids: map[string]bool{}, groups: [2]map[IDGroup]*IDGroup{{}, {}}}
	for _, id := range o.IDs {
		c.ids[id] = false
	}
	c.result = IDComparison{Link: o.Link, Given: len(c.ids)}
	if err := c.readLog(ctx); err != nil {
		return IDComparison{}, err
	}
	if err := c.readRest(ctx); err != nil {
		return IDComparison{}, err
	}
	return c.end(), nil
}

// readLog goes through the events that the link reads.
func (c *idComparer) readLog(ctx context.Context) error {
	q := EventQuery{Link: c.o.Link, Since: c.o.Since, Until: c.o.Until}
	found := linkOutcomes{links: []linkInfo{c.link}}
	x, sums, err := c.admin.counts(ctx)
	if err != nil {
		return err
	}
	outcomeOf := x.outcomes(sums.waits)
	o := q.scan(found.links)
	o.Told = c.admin.scanning(event.EventsStream)
	for e, err := range c.admin.matching(ctx, q, o, found) {
		if err != nil {
			return err
		}
		outcome, err := outcomeOf(e, c.link)
		if err != nil {
			return err
		}
		if err := c.add(ctx, e, outcome); err != nil {
			return err
		}
	}
	return nil
}

// listed reports whether the list has an event, by its id, its key or both, and notes that they were found.
func (c *idComparer) listed(key event.Key) (found bool) {
	for _, id := range []string{key.ID, key.String()} {
		if _, listed := c.ids[id]; listed {
			c.ids[id], found = true, true
		}
	}
	return found
}

// add counts an event of the link.
func (c *idComparer) add(ctx context.Context, e event.Event, outcome event.Outcome) error {
	sent := outcome == event.Delivered || outcome == event.Shadow
	if !c.listed(e.Key) {
		if sent {
			c.here = append(c.here, unlisted{e.Time, e.Key.String(), outcome})
		}
		return nil
	}
	c.widen(e.Time)
	if sent {
		c.result.Both++
		return nil
	}
	why, err := c.admin.whyNot(ctx, e.Key, c.o.Link)
	if err != nil {
		return err
	}
	c.group(false, IDGroup{Outcome: string(outcome), Why: why, Example: e.Key.String()})
	return nil
}

// widen widens the span that the list covers.
func (c *idComparer) widen(at time.Time) {
	if c.result.Since.IsZero() || at.Before(c.result.Since) {
		c.result.Since = at
	}
	if at.After(c.result.Until) {
		c.result.Until = at
	}
}

// group counts an id that one side alone has.
func (c *idComparer) group(here bool, one IDGroup) {
	side := 0
	if here {
		side = 1
	}
	if c.o.Each != nil {
		c.o.Each(one.Example, here, one)
	}
	at := IDGroup{Outcome: one.Outcome, Why: one.Why}
	if c.groups[side][at] == nil {
		c.groups[side][at] = &one
	}
	c.groups[side][at].Count++
}

// whyNot is why the newest record of an event says that it was not sent: its reason, and the condition or field.
func (a Admin) whyNot(ctx context.Context, key event.Key, id string) (string, error) {
	records, err := a.Queue.History(ctx, key)
	if err != nil {
		return "", err
	}
	r := newest(records, id)
	if r == nil {
		return "", nil
	}
	var detail struct {
		Conditions []struct {
			Source string `json:"source"`
			Pass   bool   `json:"pass"`
		} `json:"conditions"`
		Missing []string `json:"missing"`
	}
	_ = json.Unmarshal(r.Detail, &detail) // what cannot be read says nothing
	for _, one := range detail.Conditions {
		if !one.Pass {
			return one.Source, nil
		}
	}
	if len(detail.Missing) > 0 {
		return detail.Missing[0], nil
	}
	return r.Reason, nil
}

// readRest finds out what is known of the ids that no event of the link in the span has.
func (c *idComparer) readRest(ctx context.Context) error {
	var rest []string
	for id, found := range c.ids {
		if !found {
			rest = append(rest, id)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	slices.Sort(rest)
	asides, err := c.admin.asideIDs(ctx)
	if err != nil {
		return err
	}
	for _, id := range rest {
		if err := c.addRest(ctx, id, asides); err != nil {
			return err
		}
	}
	return nil
}

// addRest counts an id that was not found among the events of the link in the span.
func (c *idComparer) addRest(ctx context.Context, id string, asides map[string]string) error {
	keys, err := c.admin.Find(ctx, id)
	if err != nil && !errors.Is(err, queue.ErrNotFound) && !errors.Is(err, event.ErrBadKey) {
		return err
	}
	for _, key := range keys {
		if c.link.reads(key) {
			return c.addByKey(ctx, key)
		}
	}
	switch reason, aside := asides[id]; {
	case len(keys) > 0:
		c.group(false, IDGroup{Outcome: KnownOther, Example: keys[0].String()})
	case aside:
		c.group(false, IDGroup{Outcome: KnownAside, Why: reason, Example: id})
	default:
		c.group(false, IDGroup{Outcome: KnownNever, Example: id})
	}
	return nil
}

// addByKey counts an event of the link from outside of the span, or of which only the history is left.
func (c *idComparer) addByKey(ctx context.Context, key event.Key) error {
	t, err := c.admin.Timeline(ctx, key)
	if err != nil {
		return err
	}
	outcome := event.Erased
	if i := slices.IndexFunc(t.Links, func(l LinkTimeline) bool { return l.Link == c.o.Link }); i >= 0 && !t.Erased {
		outcome = t.Links[i].Outcome
	}
	if outcome == event.Delivered || outcome == event.Shadow {
		c.result.Both++
		return nil
	}
	why, err := c.admin.whyNot(ctx, key, c.o.Link)
	if err == nil {
		c.group(false, IDGroup{Outcome: string(outcome), Why: why, Example: key.String()})
	}
	return err
}

// asideIDs are the ids of what was set aside, with the reason.
func (a Admin) asideIDs(ctx context.Context) (map[string]string, error) {
	ids := map[string]string{}
	for s, err := range a.asides(ctx, AsideQuery{}) {
		if err != nil {
			return nil, err
		}
		if e, err := a.Identify(s); err == nil {
			ids[e.Key.ID] = s.Reason
			continue
		}
		fields, err := a.fields(rawEvent(s, s.Site))
		if err != nil {
			continue
		}
		for _, name := range []string{"id", "requestId"} {
			if id, ok := fields[name].(string); ok && id != "" {
				ids[id] = s.Reason
			}
		}
	}
	return ids, nil
}

// end puts the result together. What is only here counts in the span alone.
func (c *idComparer) end() IDComparison {
	r := c.result
	if !c.o.Since.IsZero() || !c.o.Until.IsZero() {
		r.Since, r.Until = c.o.Since, c.o.Until
		if r.Until.IsZero() {
			r.Until = c.admin.now()
		}
	}
	for _, one := range c.here {
		if !one.at.Before(r.Since) && !one.at.After(r.Until) {
			c.group(true, IDGroup{Outcome: string(one.outcome), Example: one.key})
		}
	}
	r.OnlyThere, r.OnlyHere = listGroups(c.groups[0]), listGroups(c.groups[1])
	return r
}

func listGroups(groups map[IDGroup]*IDGroup) []IDGroup {
	list := []IDGroup{}
	for _, one := range groups {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(x, y IDGroup) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Outcome, y.Outcome), cmp.Compare(x.Why, y.Why))
	})
	return list
}
