package admin

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// The cards say what the file and the queue hold of a thing, in plain values and without a secret.

// LinkCard is what the file says of a link, and which versions of it are at hand.
type LinkCard struct {
	ID        string
	InFile    bool
	Sites     []string // names
	Kinds     []event.Kind
	To        string // endpoint of Mindbox
	Operation string
	Shadow    bool
	Delay     time.Duration
	Expire    time.Duration
	Version   string         // of the file
	Source    []link.Excerpt // of the file, with the conditions and tables that the link uses; empty where it is no text of the file
	Text      string         // where Source is empty: the same as it is kept, as YAML
	Runs      bool           // a worker has taken this version up
	Versions  []LinkVersion
}

// LinkCard reads what is known of a link. ErrNoLink.
func (a Admin) LinkCard(ctx context.Context, id string) (LinkCard, error) {
	c := LinkCard{ID: id}
	if _, err := a.link(ctx, id); err != nil {
		return c, err
	}
	var err error
	if c.Versions, err = a.keptVersions(ctx, id); err != nil {
		return c, err
	}
	slices.Reverse(c.Versions)
	l := a.File.Link(id)
	if l == nil {
		if len(c.Versions) > 0 {
			c.Version, c.Text = c.Versions[0].Version, documentText(c.Versions[0].Document())
		}
		return c, nil
	}
	c.InFile, c.Kinds, c.To, c.Operation, c.Shadow = true, l.Kinds, l.To.Endpoint, l.Operation, l.Shadow
	c.Delay, c.Expire, c.Version = l.Delay, l.Expire, l.Version
	for _, e := range l.Source() {
		c.Source = append(c.Source, link.Excerpt{Line: e.Line, Text: maskLines(e.Text)})
	}
	if len(c.Source) == 0 {
		c.Text = documentText(l.Document())
	}
	for _, s := range l.Sites {
		c.Sites = append(c.Sites, a.siteName(s))
	}
	c.Runs = slices.ContainsFunc(c.Versions, func(v LinkVersion) bool { return v.Version == l.Version && v.TakenUp != nil })
	return c, nil
}

func (a Admin) siteName(id string) string {
	if s := a.File.Site(id); s != nil {
		return s.Name
	}
	return id
}

// SiteCard is what the file says of a site, and what came from it last.
type SiteCard struct {
	ID, Name string
	Zone     string
	InFile   bool
	Address  string // of its webhook, without the key; "" where it takes none
	Polled   bool   // its API is asked
	Links    []string
	Ticks    map[event.Kind][]string // the fields to tick in Calltouch
	SourceStatus
}

// SiteCards are the cards of all sites, those of the file first. What came last from them is given: it takes a scan.
func (a Admin) SiteCards(sources []SourceStatus) []SiteCard {
	var cards []SiteCard
	for _, s := range a.File.Sites {
		c := SiteCard{ID: s.ID, Name: s.Name, Zone: s.Location.String(), InFile: true, Polled: s.Token.Set(), Ticks: map[event.Kind][]string{}}
		if s.Key.Set() {
			c.Address = "/calltouch/" + s.ID + "/***"
		}
		for _, l := range a.File.Links {
			if slices.Contains(l.Sites, s.ID) {
				c.Links = append(c.Links, l.ID)
			}
		}
		for _, k := range event.Kinds {
			if a.File.Takes(s, k) {
				c.Ticks[k] = a.File.TicksOf(s, k)
			}
		}
		cards = append(cards, c)
	}
	for _, source := range sources {
		i := slices.IndexFunc(cards, func(c SiteCard) bool { return c.ID == source.Site })
		if i < 0 {
			i = len(cards)
			cards = append(cards, SiteCard{ID: source.Site, Name: source.Site})
		}
		cards[i].SourceStatus = source
		cards[i].Name = cmp.Or(cards[i].Name, source.Site)
	}
	return cards
}

// FileCard is what the file says beside links and sites.
type FileCard struct {
	Keep         link.Keep
	Destinations []DestinationCard
	People       []PersonCard
	Session      time.Duration
}

// DestinationCard is an endpoint of Mindbox, without its secret.
type DestinationCard struct {
	Name, URL, Endpoint string
	Rate                float64
	Timeout             time.Duration
	RetryFor            time.Duration
}

// PersonCard is who may sign in to the console.
type PersonCard struct {
	Name, Role string
	Reveal     bool
	Program    bool
	HasKey     bool
}

// FileCard reads it.
func (a Admin) FileCard() FileCard {
	c := FileCard{Keep: a.File.Keep, Session: a.File.Console.Session}
	for _, d := range a.File.Destinations {
		c.Destinations = append(c.Destinations, DestinationCard{d.Name, d.URL, d.Endpoint, d.Rate, d.Timeout, d.Retry.For})
	}
	for _, p := range a.File.Console.People {
		_, ok := p.Key.Hash()
		c.People = append(c.People, PersonCard{p.Name, p.Role, p.Reveal, p.Program, ok})
	}
	return c
}

// StreamCard is how full a stream of the queue is.
type StreamCard struct {
	Name     string
	Messages uint64
	Bytes    int64
	Limit    int64 // 0: none
	Share    float64
}

// Streams says how full the queue is.
func (a Admin) Streams(ctx context.Context) ([]StreamCard, error) {
	sizes, err := a.Queue.Sizes(ctx)
	return streamCards(sizes), err
}

// Streams are how full the streams were then.
func (s Standing) Streams() []StreamCard { return streamCards(s.Sizes) }

func streamCards(sizes []queue.StreamSize) []StreamCard {
	cards := make([]StreamCard, len(sizes))
	for i, s := range sizes {
		cards[i] = StreamCard{s.Stream, s.Messages, s.Bytes, s.Limit, s.Share()}
	}
	return cards
}

// ProcessCard is how a process that takes or delivers events finds the queue.
type ProcessCard struct{ Process, Problem string }

// Processes asks every process; it takes a second or two.
func (a Admin) Processes(ctx context.Context) ([]ProcessCard, error) {
	all, err := a.Queue.Client().AskHealth(ctx, event.HealthSubject)
	cards := make([]ProcessCard, len(all))
	for i, h := range all {
		cards[i] = ProcessCard{h.Process, Mask{}.Text(h.Problem)}
	}
	return cards, err
}
