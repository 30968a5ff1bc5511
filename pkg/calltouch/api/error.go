package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/web"
)

// Error is what Calltouch's API answered instead of records, or that no whole answer came. Its
// text is one line that holds no token, no address with one, no long number and no e-mail address.
type Error struct {
	Method     string        // requests or calls
	Status     int           // 0 when no answer came; 200 when it broke off or was no list
	Limit      bool          // we asked too much: 429, or a 403 that speaks of a limit
	RetryAfter time.Duration // how long Calltouch asked to wait; 0 when it did not say
	Text       string        // Calltouch's own words, cleaned and cut
	Err        error         // what went wrong on the way; nil when there is a status that says it
}

// Error says which method failed and why.
func (e *Error) Error() string {
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
func (e *Error) Unwrap() error { return e.Err }

// Refused reports that asking again changes nothing until a person acts: the token or the site is
// not accepted, or the question is not understood.
func (e *Error) Refused() bool {
	return e.Status >= 400 && e.Status < 500 && !e.Limit && e.Status != http.StatusRequestTimeout
}

// maxErrorText bounds Calltouch's words in an error, in bytes.
const maxErrorText = 200

// statusError reads an answer that is not 200.
func statusError(method string, resp *http.Response, body []byte, token string) *Error {
	text := scrub(message(body), token)
	e := &Error{Method: method, Status: resp.StatusCode, Text: text, RetryAfter: web.RetryAfter(resp.Header, maxRetryAfter)}
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
func transportError(method string, status int, err error, token string) *Error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	// The network's own errors name hosts, and nothing that came; the others may quote it.
	text := show.Line(err.Error(), maxErrorText)
	_, network := errors.AsType[*net.OpError](err)
	_, name := errors.AsType[*net.DNSError](err)
	if network || name {
		text = show.Clip(show.Printable(err.Error()), maxErrorText)
	}
	if text = withoutToken(text, token); text != err.Error() {
		err = worded{err, text}
	}
	return &Error{Method: method, Status: status, Err: err}
}

// worded is an error told in other words.
type worded struct {
	error
	text string
}

func (w worded) Error() string { return w.text }
func (w worded) Unwrap() error { return w.error }

// scrub makes Calltouch's words fit to be logged and shown: it may quote the question with its token,
// and phones and e-mails.
func scrub(text, token string) string {
	return withoutToken(show.Line(withoutToken(text, token), maxErrorText), token)
}

// withoutToken hides the token in a text, as it is and as it stands in an address.
func withoutToken(text, token string) string {
	if token == "" {
		return text
	}
	return strings.NewReplacer(token, show.Hidden, url.QueryEscape(token), show.Hidden).Replace(text)
}

// maxRetryAfter bounds what Calltouch may ask for: a slip of its clock must not stop us for a day.
const maxRetryAfter = time.Hour
