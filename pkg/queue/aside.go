package queue

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// Aside is something that Calltouch sent and that is no event, or none that may be stored.
type Aside = event.Aside

// AsideUnpolled is the reason of what waits in ASIDE to become an event, or to be known as one: the
// hook of a form request. Its Key is that of the event.
const AsideUnpolled = "unpolled"

// noSite stands in the subject for an unknown site.
const noSite = "none"

// PutAside stores what came and is no event. It is kept a week, as far as there is room. It is tried
// again and an error means undecided, as for Publish; a try that was stored without an answer leaves
// it twice, which is harmless.
func (q *Queue) PutAside(ctx context.Context, a Aside) error {
	site := a.Site
	if site == "" {
		site = noSite
	}
	if !token(site) || !token(a.Reason) {
		return fmt.Errorf("set aside: the site or the reason %q is no single word", a.Reason)
	}
	m := &nats.Msg{Subject: event.AsideSubjects.Of(site + "." + a.Reason), Data: a.Body, Header: nats.Header{
		event.HeaderFormat:   {strconv.Itoa(event.Format)},
		event.HeaderReceived: {event.FormatMoment(a.Received)},
		event.HeaderOrigin:   {string(a.Origin)},
	}}
	for name, value := range map[string]string{event.HeaderContent: a.ContentType, event.HeaderQuery: a.Query, event.HeaderKey: a.Key} {
		if value != "" {
			m.Header.Set(name, value)
		}
	}
	if a.Size > len(a.Body) {
		m.Header.Set(event.HeaderSize, strconv.Itoa(a.Size))
	}
	err := q.jet.Insist(ctx, func(ctx context.Context) error {
		_, err := q.jet.Publish(ctx, m)
		return err
	})
	return describe("set aside", err)
}

// Asides iterates over what was set aside, oldest first. Empty site or reason: all.
func (q *Queue) Asides(ctx context.Context, site, reason string) iter.Seq2[Aside, error] {
	return func(yield func(Aside, error) bool) {
		for m, err := range q.jet.Scan(ctx, event.AsideStream, asideFilter(site, reason), 1) {
			if err != nil {
				yield(Aside{}, err)
				return
			}
			if !yield(ReadAside(m), nil) {
				return
			}
		}
	}
}

// AsidesBack is Asides before a sequence, 0 is the end, the newest first: who wants the newest few reads little more than these.
func (q *Queue) AsidesBack(ctx context.Context, site, reason string, before uint64) iter.Seq2[Aside, error] {
	return func(yield func(Aside, error) bool) {
		if !mayStand(site, reason) {
			return
		}
		for m, err := range q.jet.Back(ctx, event.AsideStream, asideFilter(site, reason), before) {
			if err != nil {
				yield(Aside{}, err)
				return
			}
			if !yield(ReadAside(m), nil) {
				return
			}
		}
	}
}

// CountAsides counts what was set aside, stored at a moment or later; the zero moment is before all. Empty site or reason: all.
func (q *Queue) CountAsides(ctx context.Context, site, reason string, since time.Time) (int, error) {
	if !mayStand(site, reason) {
		return 0, nil
	}
	return q.countSince(ctx, event.AsideStream, asideFilter(site, reason), since)
}

// countSince counts what matches a filter and was stored at a moment or later; the zero moment is before all.
func (q *Queue) countSince(ctx context.Context, stream, filter string, since time.Time) (n int, err error) {
	var all uint64
	if since.IsZero() {
		all, _, err = q.jet.Count(ctx, stream, filter, 1)
	} else {
		all, err = q.jet.CountSince(ctx, stream, filter, since)
	}
	return int(all), jet.Describe("count "+stream, err)
}

// mayStand reports whether words that a person gives, "" is any, can stand in a subject; what others are of was never stored.
func mayStand(words ...string) bool {
	for _, word := range words {
		if word != "" && !token(word) {
			return false
		}
	}
	return true
}

func asideFilter(site, reason string) string {
	return event.AsideSubjects.Of(orAny(site) + "." + orAny(reason))
}

// ReadAside reads a message of ASIDE.
func ReadAside(m *jet.Message) Aside {
	h := m.Header
	size, _ := strconv.Atoi(h.Get(event.HeaderSize)) // none: 0
	site, reason, _ := strings.Cut(event.AsideSubjects.Rest(m.Subject), ".")
	if site == noSite {
		site = ""
	}
	return Aside{
		Site: site, Reason: reason, Key: h.Get(event.HeaderKey), Origin: event.Origin(h.Get(event.HeaderOrigin)),
		ContentType: h.Get(event.HeaderContent), Query: h.Get(event.HeaderQuery), Body: m.Data, Size: size,
		Received: event.ReadMoment(h.Get(event.HeaderReceived)), Sequence: m.Sequence, Stored: m.Time,
	}
}

// RemoveAside removes one from ASIDE; a missing one is no error.
func (q *Queue) RemoveAside(ctx context.Context, sequence uint64) error {
	return q.jet.Remove(ctx, event.AsideStream, sequence)
}

// EraseAside removes one from ASIDE and overwrites its bytes; a missing one is no error.
func (q *Queue) EraseAside(ctx context.Context, sequence uint64) error {
	return q.jet.Wipe(ctx, event.AsideStream, sequence)
}

// asidePressed is how full ASIDE is, in hundredths, when its older half may soon be pushed out.
const asidePressed = 80

// AsideEdge is the sequence before which what lies in ASIDE may be pushed out soon by what is set
// aside next; 0 while there is room.
func (q *Queue) AsideEdge(ctx context.Context) (uint64, error) {
	e, err := q.Extent(ctx, event.AsideStream)
	if err != nil || !e.Above(asidePressed) {
		return 0, err
	}
	return e.First + (e.Last-e.First)/2, nil
}

// token reports whether s can stand as one token of a subject.
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
