package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Alert is what ALERT_URL gets: once when a cause begins and once when it is over. Text alone is
// a whole sentence, so that a messenger's webhook can show it.
type Alert struct {
	Text    string    `json:"text"`
	Cause   Cause     `json:"cause"`
	Subject string    `json:"subject"` // the link, the endpoint, the site, the stream
	Over    bool      `json:"over"`    // the cause is gone
	Time    time.Time `json:"time"`
}

// Cause is why a person is called. The list is closed.
type Cause string

// All causes.
const (
	CauseParked      Cause = "parked"       // a link or an endpoint is parked
	CauseDeadLetters Cause = "dead_letters" // a link has dead letters
	CauseDisk        Cause = "disk"         // a stream passed 80 % of its bound
	CauseSilence     Cause = "silence"      // a site is silent for longer than is usual for it
	CauseAside       Cause = "aside"        // more than 5 % of what comes is set aside
	CauseAbandoned   Cause = "abandoned"    // an unread event was removed, the disk being full
)

// alerts calls a person, once per cause: what is raised stands in STATE, so that neither several
// workers nor a restart say it again.
type alerts struct {
	url   string // "" = nobody is called
	queue *queue.Queue
	log   zerolog.Logger
	send  chan Alert
}

// alertBacklog bounds the alerts that wait while ALERT_URL does not answer. More would be old
// news: what is the matter can be seen with `touchbox links`.
const alertBacklog = 100

func newAlerts(url string, q *queue.Queue, log zerolog.Logger) *alerts {
	return &alerts{url: url, queue: q, log: log, send: make(chan Alert, alertBacklog)}
}

func alertKey(cause Cause, subject string) string {
	return "alert." + string(cause) + "." + fmt.Sprintf("%x", subject)
}

// set raises an alert or clears it. Setting again what is set already does nothing.
func (a *alerts) set(ctx context.Context, cause Cause, subject string, raised bool, text string) {
	if a.url == "" {
		return
	}
	key := alertKey(cause, subject)
	var err error
	if raised {
		_, err = a.queue.State().Create(ctx, key, time.Now().UTC())
	} else {
		var since time.Time
		if _, err = a.queue.State().Get(ctx, key, &since); err == nil {
			err = a.queue.State().Delete(ctx, key)
		}
	}
	if errors.Is(err, queue.ErrConflict) || errors.Is(err, queue.ErrNotFound) {
		return // raised already; or there is nothing to clear
	}
	// With STATE away an alert is said twice rather than never.
	select {
	case a.send <- Alert{Text: "Touchbox: " + text, Cause: cause, Subject: subject, Over: !raised, Time: time.Now().UTC()}:
	default:
		a.log.Warn().Str("cause", string(cause)).Msg("ALERT_URL does not answer: an alert was dropped")
	}
}

// watch raises and clears what the numbers of links and sites tell, until ctx ends.
func (a *alerts) watch(ctx context.Context, file func() *link.File, quiet *silence) error {
	if a.url == "" {
		return nil
	}
	for {
		for _, l := range file().Links {
			if stats, err := a.queue.LinkStats(ctx, l.ID); err == nil {
				a.set(ctx, CauseDeadLetters, l.ID, stats.DeadLetters > 0, deadLettersText(l.ID, stats.DeadLetters))
			}
		}
		for _, s := range file().Sites {
			silent, unusual := quiet.quiet(s.ID, time.Now())
			a.set(ctx, CauseSilence, s.ID, unusual, silenceText(s.Name, silent, unusual))
			a.asides(ctx, s)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(alertEvery):
		}
	}
}

// alertEvery is how often the numbers are looked at.
const alertEvery = 30 * time.Second

func deadLettersText(id string, n uint64) string {
	if n == 0 {
		return fmt.Sprintf("link %s has no dead letters any more.", id)
	}
	return fmt.Sprintf("link %s has dead letters: see `touchbox deadletters --link %s`.", id, id)
}

func silenceText(name string, silent time.Duration, unusual bool) string {
	if !unusual {
		return fmt.Sprintf("events of site %s come again.", name)
	}
	return fmt.Sprintf("nothing has come from site %s for %s, longer than is usual for it: look at its webhook in Calltouch.", name, silent.Round(time.Minute))
}

// park raises or clears what the worker says of a link or an endpoint.
func (a *alerts) park(ctx context.Context, scope string, parked bool) {
	text := fmt.Sprintf("%s goes on.", scope)
	if parked {
		text = fmt.Sprintf("%s is parked, nothing is sent and nothing is lost: see `touchbox links`.", scope)
	}
	a.set(ctx, CauseParked, scope, parked, text)
}

// alertTimeout bounds one POST to ALERT_URL, alertPatience all tries of one alert.
const (
	alertTimeout  = 10 * time.Second
	alertPatience = 10 * time.Minute
)

// run sends until ctx ends.
func (a *alerts) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case one := <-a.send:
			tries := backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(alertPatience))
			if err := backoff.Retry(func() error { return a.post(ctx, one) }, backoff.WithContext(tries, ctx)); err != nil && ctx.Err() == nil {
				a.log.Error().Err(err).Str("cause", string(one.Cause)).Msg("ALERT_URL did not take an alert")
			}
		}
	}
}

// post sends one alert. Its error holds no part of the address, which may be a secret.
func (a *alerts) post(ctx context.Context, one Alert) error {
	body, err := json.Marshal(one)
	if err != nil {
		return backoff.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, alertTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(errors.New("the address is malformed"))
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return errors.New("no answer")
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= 300 {
		return fmt.Errorf("answered %d", answer.StatusCode)
	}
	return nil
}
