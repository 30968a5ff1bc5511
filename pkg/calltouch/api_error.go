package calltouch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// APIError is what Calltouch's API answered instead of records, or that no whole answer came. Its
// text holds no token, no address with one, and no long number.
type APIError struct {
	Method     string        // requests or calls
	Status     int           // 0 when no answer came; 200 when it broke off or was no list
	Limit      bool          // we asked too much: 429, or a 403 that speaks of a limit
	RetryAfter time.Duration // how long Calltouch asked to wait; 0 when it did not say
	Text       string        // Calltouch's own words, cleaned and cut
	Err        error         // what went wrong on the way; nil when there is a status that says it
}

// Error says which method failed and why.
func (e *APIError) Error() string {
	text := "calltouch api " + e.Method
	if e.Status != 0 && e.Status != http.StatusOK {
		text += fmt.Sprintf(": status %d", e.Status)
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the reason why no whole answer came.
func (e *APIError) Unwrap() error { return e.Err }

// Refused reports that asking again changes nothing until a person acts: the token or the site is
// not accepted, or the question is not understood.
func (e *APIError) Refused() bool {
	return e.Status >= 400 && e.Status < 500 && !e.Limit && e.Status != http.StatusRequestTimeout
}

// maxErrorText bounds Calltouch's words in an error, in bytes.
const maxErrorText = 200

// statusError reads an answer that is not 200.
func statusError(method string, resp *http.Response, body []byte, token string) *APIError {
	text := scrub(message(body), token)
	e := &APIError{Method: method, Status: resp.StatusCode, Text: text, RetryAfter: askedWait(resp.Header.Get("Retry-After"))}
	e.Limit = e.Status == http.StatusTooManyRequests || e.Status == http.StatusForbidden && limitText.MatchString(text)
	return e
}

// limitText recognises a 403 that is about how much we asked, not about whether we may. What
// Calltouch really says then is not known.
var limitText = regexp.MustCompile(`(?i)limit|too many|too often|quota|exceed|point|лимит|превыш|част[оы]|баллов|квот`)

// message finds Calltouch's words: at the top for 403 and 500, nested otherwise.
func message(body []byte) string {
	var m struct {
		Message string
		Data    struct{ APIErrorData struct{ ErrorMessage string } }
	}
	if json.Unmarshal(body, &m) != nil {
		return ""
	}
	if m.Message != "" {
		return m.Message
	}
	return m.Data.APIErrorData.ErrorMessage
}

// transportError says why no whole answer came. url.Error repeats the address, and the token is
// in it: only what it wraps is kept.
func transportError(method string, status int, err error, token string) *APIError {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if token != "" && strings.Contains(err.Error(), token) {
		err = errors.New(scrub(err.Error(), token))
	}
	return &APIError{Method: method, Status: status, Err: err}
}

var longNumber = regexp.MustCompile(`\d{7,}`)

// scrub takes out what must not be seen, and cuts.
func scrub(text, token string) string {
	if token != "" {
		text = strings.NewReplacer(token, "***", url.QueryEscape(token), "***").Replace(text)
	}
	text = longNumber.ReplaceAllString(text, "***")
	if len(text) > maxErrorText {
		text = text[:maxErrorText] + "..."
	}
	return strings.ToValidUTF8(text, "")
}

// maxRetryAfter bounds what Calltouch may ask for: a slip of its clock must not stop us for a day.
const maxRetryAfter = time.Hour

// askedWait reads the header, seconds or a date; 0 when there is none.
func askedWait(value string) time.Duration {
	if n, err := strconv.Atoi(value); err == nil {
		return min(max(time.Duration(n)*time.Second, 0), maxRetryAfter)
	}
	t, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(time.Until(t), 0), maxRetryAfter)
}

// retry calls f until it succeeds, giveUp says so of its error, or ctx ends. The second try comes
// within 3 s, then the waits grow to about a minute; none is shorter than Calltouch asks for. note
// is told of each error and the wait that follows it; giveUp may be nil.
func retry(ctx context.Context, f func() error, giveUp func(error) bool, note func(error, time.Duration)) error {
	waits := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(2*time.Second), backoff.WithMultiplier(2),
		backoff.WithMaxInterval(time.Minute), backoff.WithMaxElapsedTime(0),
	)
	for {
		err := f()
		if err == nil || ctx.Err() != nil || giveUp != nil && giveUp(err) {
			return err
		}
		wait := waits.NextBackOff()
		if api := (*APIError)(nil); errors.As(err, &api) && api.RetryAfter > 0 {
			wait = max(wait, api.RetryAfter)
		}
		note(err, wait)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}
