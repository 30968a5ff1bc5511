package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/web"
)

// noteTimeout bounds how long it may take to store that an alert was sent.
const noteTimeout = 5 * time.Second

// stored is an alert as it was read from STATE.
type stored struct {
	alert
	key      string
	revision uint64
}

// Run sends what STATE says is to be sent, until ctx ends: whoever saw it, and as long as it lasts.
func (a *Alerts) Run(ctx context.Context) error {
	if a.receiver == nil {
		return nil // WatchQueue stores what STATE did not take
	}
	for {
		a.storeAgain(ctx)
		pause := time.NewTimer(a.sendDue(ctx))
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-a.wake:
			pause.Stop()
		case <-pause.C:
		}
	}
}

// sendDue tries every notice that is due, and says when to look again. One that finds nobody there
// ends the round: the others would wait for the same.
func (a *Alerts) sendDue(ctx context.Context) time.Duration {
	due, next := a.due(ctx, time.Now().UTC())
	for _, w := range due {
		if !a.send(ctx, w) {
			return min(next, a.pace.first)
		}
	}
	return next
}

// due lists the notices to try now, those that wait longest first, and says how long none other
// will be due.
func (a *Alerts) due(ctx context.Context, now time.Time) ([]stored, time.Duration) {
	next := a.pace.every
	all, err := a.all(ctx)
	if err != nil {
		return nil, next // tried again then
	}
	var due []stored
	for _, w := range all {
		if !w.unsent() || w.Text == "" {
			continue
		}
		if at := w.alert.due(now, max(a.pace.most, a.pace.calm)+time.Minute); at.After(now) {
			next = min(next, at.Sub(now))
			continue
		}
		due = append(due, w)
	}
	slices.SortFunc(due, func(x, y stored) int { return x.Next.Compare(y.Next) })
	return due, next
}

// all reads all alerts, those that are over among them.
func (a *Alerts) all(ctx context.Context) ([]stored, error) {
	entries, err := a.queue.State().List(ctx, string(event.AlertKeys))
	if err != nil {
		return nil, err
	}
	var all []stored
	for _, e := range entries {
		w := stored{key: e.Key, revision: e.Revision}
		if json.Unmarshal(e.Value, &w.alert) != nil {
			continue
		}
		if w.Cause == "" {
			w.Cause, w.Subject = causeOf(e.Key)
		}
		all = append(all, w)
	}
	return all, nil
}

// send tries one notice. It is false when nobody is there to take any.
func (a *Alerts) send(ctx context.Context, w stored) bool {
	tried := w.try(time.Now().UTC(), a.pause(w.Tries))
	if _, err := a.queue.State().Update(ctx, w.key, tried, w.revision); err != nil {
		return errors.Is(err, queue.ErrConflict) // another process tries it, or it has changed
	}
	status, err := a.receiver.post(ctx, w.notice())
	if err != nil {
		if ctx.Err() == nil {
			a.notTaken(tried, err)
		}
		return status != 0
	}
	// Noted even while the process stops: what is not noted is sent again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	err = a.change(ctx, w.key, func(x alert) (alert, bool) { return x.sent(w.alert, time.Now().UTC(), a.pace.calm) })
	if err != nil {
		a.log.Warn().Err(err).Str("cause", string(w.Cause)).Msg("an alert was sent, and that could not be stored: it may be sent again")
	}
	return true
}

// pause is the exponential backoff: how long after a try the next one comes, when so many were made
// before it.
func (a *Alerts) pause(tries int) time.Duration {
	return min(a.pace.first<<min(tries, 16), a.pace.most)
}

func (a *Alerts) notTaken(tried alert, err error) {
	a.log.Warn().Err(err).Str("cause", string(tried.Cause)).Str("subject", tried.Subject).Int("try", tried.Tries).Time("next", tried.Next).
		Msg("ALERT_URL did not take an alert, it is tried again as long as its cause lasts")
}

// sendTimeout bounds one POST to ALERT_URL.
const sendTimeout = 10 * time.Second

// Receiver is what stands at ALERT_URL.
type Receiver struct {
	url       string
	console   string
	userAgent string
	client    *http.Client
}

// NewReceiver is the receiver at an address that CheckURL finds nothing wrong with; nil where there is
// none. Each notice names the page of the console that has more, where people reach it by an address.
func NewReceiver(url, console, userAgent string) *Receiver {
	if url == "" {
		return nil
	}
	return &Receiver{url: url, console: console, userAgent: userAgent, client: web.Client(sendTimeout)}
}

// post sends one notice and returns the status of the answer, 0 where none came. Its error holds no
// part of the address, which may be a secret.
func (r *Receiver) post(ctx context.Context, one Notice) (int, error) {
	body, err := json.Marshal(one.withPage(r.console))
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the address is malformed")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", r.userAgent)
	answer, err := r.client.Do(request)
	if err != nil {
		r.client.CloseIdleConnections() // the next try makes a connection of its own
		return 0, noAnswer(err)
	}
	// A connection is used again only when its answer was read; an endless one is not.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	_ = answer.Body.Close()
	switch {
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return answer.StatusCode, fmt.Errorf("answered %d: it has moved, and redirects are not followed; set ALERT_URL to where it is now", answer.StatusCode)
	case answer.StatusCode < 200 || answer.StatusCode >= 400:
		return answer.StatusCode, fmt.Errorf("answered %d", answer.StatusCode)
	}
	return answer.StatusCode, nil
}

// Test sends one notice that says it is a test, and returns the status of the answer, 0 where none came.
// The error holds no part of the address.
func (r *Receiver) Test(ctx context.Context, l lang.Language) (int, error) {
	return r.post(ctx, Notice{
		Text: "Touchbox: " + l.Text("this is a test: alerts arrive here."), Cause: CauseTest, Time: time.Now().UTC(),
	})
}

// noAnswer says why no answer came, by kind: the texts of net/http hold the address.
func noAnswer(err error) error {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New("no answer: its name cannot be resolved")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return errors.New("no answer: no connection")
	}
	if failed, ok := errors.AsType[*url.Error](err); ok && failed.Timeout() {
		return errors.New("no answer in time")
	}
	return errors.New("no answer")
}

// CheckURL says what is wrong with the address of a receiver, in words without it.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("the value is no address")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("want an address that begins with https:// or http://")
	case u.Hostname() == "":
		return errors.New("the address names no host")
	}
	return nil
}
