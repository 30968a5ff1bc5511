package admin

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
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

// Lookup finds the events that a person means by a key or an id, oldest first. Where there are none, and the text can be read as a phone
// number, that is returned, to look for it (AskFind). None of both is no error.
func (a Admin) Lookup(ctx context.Context, text string) (keys []event.Key, number string, err error) {
	keys, err = a.Find(ctx, text)
	if err == nil || !errors.Is(err, ErrUnknown) && !errors.Is(err, event.ErrBadKey) {
		return keys, "", err
	}
	if strings.Contains(text, "/") {
		return nil, "", nil
	}
	return nil, a.Number(text), nil
}

// A look for a number reads the whole log. It is a job, so that others see it and can stop it, of the one process that was asked: the
// number is kept nowhere, and in the job it is masked. What it has found is kept by that process alone too.

// errFindGone is why a find failed that nobody works at.
var errFindGone = errors.New("the console that looked has ended, and the number is kept nowhere: look again")

// AskFind puts a look for a number, one of Number, in the list of jobs, and writes it into the audit. Whoever asks must work at it, by
// Finding.
func (a Admin) AskFind(ctx context.Context, number string) (Job, error) {
	job := a.newJob(JobFind, Work{Phone: show.Hide(number)}, "")
	err := a.putJob(ctx, &job, 0)
	return job, err
}

// Finding works at the look for a number that AskFind has asked for, and gives found the newest events of it, oldest first: at most so
// many, and before the job is said to be done. The audit then has how many it was.
func (a Admin) Finding(ctx context.Context, job Job, number string, limit int, found func([]event.Key)) error {
	return a.runJob(ctx, job.ID, func(ctx context.Context, r *jobRun) (int, error) {
		looks := r.admin
		looks.Scans = func(s Scanned) { r.told(int(s.Done), int(s.Total), 0) }
		keys, err := looks.OfPhone(ctx, number, limit)
		if err == nil {
			found(keys)
		}
		return len(keys), err
	})
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
