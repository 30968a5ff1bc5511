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
)

// Aside is something that Calltouch sent and that is no event, or none that may be stored.
type Aside struct {
	Site        string // as in the address; empty: unknown
	Reason      string // one word: letters, digits, "_" and "-"
	Key         string // of the event that it would have been, as Key.String writes it; empty: none
	Origin      event.Origin
	ContentType string
	Query       string // of a POST's URL
	Body        []byte
	Received    time.Time

	Sequence uint64    // place in ASIDE; set when read
	Stored   time.Time // when ASIDE took it; set when read
}

// noSite stands in the subject for an unknown site.
const noSite = "none"

// PutAside stores what came and is no event. It is kept a week, as far as there is room. An error
// means undecided, as for Publish.
func (q *Queue) PutAside(ctx context.Context, a Aside) error {
	site := a.Site
	if site == "" {
		site = noSite
	}
	if !token(site) || !token(a.Reason) {
		return fmt.Errorf("set aside: the site or the reason %q is no single word", a.Reason)
	}
	m := &nats.Msg{Subject: asidePrefix + site + "." + a.Reason, Data: a.Body, Header: nats.Header{
		headerFormat:   {strconv.Itoa(event.Format)},
		headerReceived: {moment(a.Received)},
		headerOrigin:   {string(a.Origin)},
	}}
	for name, value := range map[string]string{headerContent: a.ContentType, headerQuery: a.Query, headerKey: a.Key} {
		if value != "" {
			m.Header.Set(name, value)
		}
	}
	_, err := q.publish(ctx, m)
	return describe("set aside", err)
}

// Asides iterates over what was set aside, oldest first. Empty site or reason: all.
func (q *Queue) Asides(ctx context.Context, site, reason string) iter.Seq2[Aside, error] {
	return func(yield func(Aside, error) bool) {
		for m, err := range q.scan(ctx, asideStream, asidePrefix+orAny(site)+"."+orAny(reason), 1) {
			if err != nil {
				yield(Aside{}, err)
				return
			}
			if !yield(readAside(m), nil) {
				return
			}
		}
	}
}

func readAside(m *stored) Aside {
	h := m.Header
	site, reason, _ := strings.Cut(strings.TrimPrefix(m.Subject, asidePrefix), ".")
	if site == noSite {
		site = ""
	}
	return Aside{
		Site: site, Reason: reason, Key: h.Get(headerKey), Origin: event.Origin(h.Get(headerOrigin)),
		ContentType: h.Get(headerContent), Query: h.Get(headerQuery), Body: m.Data,
		Received: readMoment(h.Get(headerReceived)), Sequence: m.Sequence, Stored: m.Time,
	}
}

// RemoveAside removes one from ASIDE; a missing one is no error.
func (q *Queue) RemoveAside(ctx context.Context, sequence uint64) error {
	return q.remove(ctx, asideStream, sequence)
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

func orAny(s string) string {
	if s == "" {
		return "*"
	}
	return s
}
