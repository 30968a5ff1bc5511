package console

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// handles are lists of keys under a name that says nothing of them: what a search has found. The number that it looked for
// stands in no address.
type handles struct {
	mu   sync.Mutex
	held map[string]handle
}

type handle struct {
	who  string // has looked
	keys []event.Key
	end  time.Time
}

// Bounds of the handles.
const (
	handleLife  = 10 * time.Minute
	mostHandles = 1000
)

func (h *handles) put(token, who string, keys []event.Key, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for token, one := range h.held {
		if now.After(one.end) || len(h.held) >= mostHandles {
			delete(h.held, token)
		}
	}
	if h.held == nil {
		h.held = map[string]handle{}
	}
	h.held[token] = handle{who, keys, now.Add(handleLife)}
}

func (h *handles) take(token string, now time.Time) (handle, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one, ok := h.held[token]
	return one, ok && now.Before(one.end)
}

// find looks for what a person typed: a key, an id, or a phone number. It is a POST, so that no number stands in a log.
func (v *visit) find() error {
	what := strings.TrimSpace(v.r.FormValue("what"))
	if what == "" {
		return errBadForm
	}
	keys, number, err := v.admin.Lookup(v.ctx(), what)
	switch {
	case err != nil:
		return err
	case number != "":
		return v.findPhone(number)
	case len(keys) > 1:
		token := rand.Text()
		v.c.found.put(token, v.who.Name, keys, v.c.Now())
		return v.redirect("/events?found=" + token)
	}
	return v.foundOne(keys)
}

// foundOne leads to the one event that was found, or says that there is none.
func (v *visit) foundOne(keys []event.Key) error {
	if len(keys) == 1 {
		return v.redirect(eventPath(keys[0]))
	}
	v.show(page{Name: "notfound", Title: v.lang.Text("Nothing was found"), Group: "/events"})
	return nil
}

// A look for a number reads the whole log, so it is a job: what it finds is waited for a moment, and stands then on the page of the job.
const (
	findPatience = 1500 * time.Millisecond
	findWithin   = 15 * time.Minute
	findsAtOnce  = 4 // of one console
)

// findPhone looks for the events of a number.
func (v *visit) findPhone(number string) error {
	select {
	case v.c.finding <- struct{}{}:
	default:
		return errTooMany
	}
	job, err := v.admin.AskFind(v.ctx(), number)
	if err != nil {
		<-v.c.finding
		return err
	}
	found := make(chan []event.Key, 1)
	go func() {
		defer func() { <-v.c.finding }()
		v.c.look(context.WithoutCancel(v.ctx()), v.admin, job, number, found)
	}()
	patience := time.NewTimer(findPatience)
	defer patience.Stop()
	select {
	case keys := <-found:
		if len(keys) > 1 {
			return v.redirect("/events?found=" + job.ID)
		}
		return v.foundOne(keys)
	case <-patience.C:
	case <-v.ctx().Done():
	}
	return v.redirect("/jobs/" + job.ID)
}

// look works at a look for a number, and keeps what it finds under the id of its job.
func (c *Console) look(ctx context.Context, a admin.Admin, job admin.Job, number string, found chan<- []event.Key) {
	ctx, cancel := context.WithTimeout(ctx, findWithin)
	defer cancel()
	var keys []event.Key
	err := a.Finding(ctx, job, number, mostRows, func(those []event.Key) {
		keys = those
		c.found.put(job.ID, job.Who, keys, c.Now())
	})
	if err == nil { // else the job says why
		found <- keys
	}
}
