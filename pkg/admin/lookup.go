package admin

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/spelling"
)

// Codes are the country codes that the sites put before numbers of ten digits.
func (a Admin) Codes() []string {
	codes := []string{}
	for _, site := range a.File.Sites {
		if site.TenDigits != "" {
			codes = append(codes, site.TenDigits)
		}
	}
	return codes
}

// Number reads a phone number as people write it, whatever signs stand between its digits; "" where it is none that can
// be called.
func (a Admin) Number(text string) string {
	text = spelling.Fold(text)
	how := phone.Options{TenDigits: append(a.Codes(), "7")[0]}
	if number := phone.Normalize(text, how); number != "" || strings.ContainsFunc(text, unicode.IsLetter) {
		return number
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	if strings.HasPrefix(strings.TrimSpace(text), "+") {
		digits = "+" + digits
	}
	return phone.Normalize(digits, how)
}

// About selects the events in which a number stands for certain, in any field and spelling, as erase finds it. The
// number is one of Number.
func (a Admin) About(number string) func(event.Event) bool {
	p := NewPerson(number, "", a.Codes())
	return func(e event.Event) bool { return p.In(e) == Certain }
}

// OfPhone finds the newest events of a number, oldest first: at most so many. It reads the log from its end, as a rule
// all of it.
func (a Admin) OfPhone(ctx context.Context, number string, limit int) ([]event.Key, error) {
	rows, _, err := a.Events(ctx, EventQuery{About: a.About(number), Limit: limit})
	keys := make([]event.Key, len(rows))
	for i, row := range rows {
		keys[i] = row.Event.Key
	}
	return keys, err
}

// RowsOf are the rows of events with these keys; one of which nothing is kept but its history comes with its key alone.
func (a Admin) RowsOf(ctx context.Context, keys []event.Key) ([]Row, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, err
	}
	found := linkOutcomes{links, a.byKey(ctx)}
	rows := make([]Row, 0, len(keys))
	for _, key := range keys {
		e, err := a.event(ctx, key)
		if errors.Is(err, queue.ErrErased) {
			continue // a list that was found before does not name them
		}
		if err != nil {
			e = event.Event{Key: key}
		}
		row, err := found.row(e)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}
