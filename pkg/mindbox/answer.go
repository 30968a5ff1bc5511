package mindbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/web"
)

// Bounds on what is read and kept of an answer, in bytes.
const (
	maxRead    = 256 << 10 // read as an answer; real ones have under 1 KiB
	maxDrain   = 256 << 10 // read beyond that only to keep the connection
	maxState   = 64
	maxMessage = 1000
)

// maxRetryAfter bounds what a Retry-After may ask for: a daily quota is plausible, a year is a
// mistake that would hide an event.
const maxRetryAfter = 24 * time.Hour

// maxForeignRetryAfter bounds the same of a page in front of Mindbox, which knows nothing of Mindbox's quotas: the outage that
// it tells of may be over in a minute, and the breaker asks again by itself.
const maxForeignRetryAfter = 15 * time.Minute

// Answer is what came back from one attempt.
type Answer struct {
	Status     int           // HTTP; 0 when none came
	State      string        // the body's `status`; "" when the body is no JSON object or has none
	Message    string        // what Mindbox says about it, masked and cut
	ErrorID    string        // Mindbox's errorId, a UUID to ask its support about; may be missing
	Foreign    bool          // an answer without Mindbox's JSON: empty, or another server's, whose text is Message
	RetryAfter time.Duration // asked for by the answer, at most a day; 0 when it asks for nothing
	Err        error         // a *TransportError: no whole answer came
	Unsent     bool          // with Err: no connection was made, so Mindbox cannot have executed it
	Duration   time.Duration
}

// readAnswer reads loosely, as Mindbox asks its clients to: unknown fields, any order, nothing
// obligatory.
func readAnswer(response *http.Response, secrets ...string) Answer {
	answer := Answer{Status: response.StatusCode, RetryAfter: web.RetryAfter(response.Header, maxRetryAfter)}
	buffer := buffers.Get().(*bytes.Buffer)
	defer putBack(buffer)
	if _, err := buffer.ReadFrom(io.LimitReader(response.Body, maxRead+1)); err != nil {
		answer.Err = transportError(err)
		return answer
	}
	body := buffer.Bytes()
	if len(body) > maxRead { // only a body read to its end leaves the connection usable; an endless one is cut off
		_, _ = io.CopyN(io.Discard, response.Body, maxDrain)
	}
	parseBody(&answer, body, secrets...)
	if answer.Foreign && answer.Message != "" { // a page in front of Mindbox must not put an event off for a day
		answer.RetryAfter = min(answer.RetryAfter, longestForeign(answer.Status))
	}
	return answer
}

// buffers hold bodies while they are read; an Answer has copies.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// putBack gives a buffer back, unless it has grown for a page that is no answer of Mindbox.
func putBack(b *bytes.Buffer) {
	if b.Cap() > 16<<10 {
		return
	}
	b.Reset()
	buffers.Put(b)
}

// longestForeign is how long a page with this status may ask to wait. Only two sorts of them say when to come again.
func longestForeign(status int) time.Duration {
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return maxForeignRetryAfter
	}
	return 0
}

// parseBody reads the JSON object that Mindbox answers with. What has none of its fields was written
// by somebody else: a proxy, a guard against bots, a captive portal.
func parseBody(answer *Answer, body []byte, secrets ...string) {
	if answer.State = plainState(body); answer.State != "" {
		return
	}
	fields, whole := object(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if !whole && len(body) <= maxRead {
		fields = nil // its sender cut it off, not we
	}
	if answer.State = text(fields["status"]); !known(answer.State) {
		answer.State = shown(answer.State, maxState, secrets)
	}
	if answer.Foreign = !fromMindbox(answer.State, fields); answer.Foreign {
		answer.Message = shown(string(body), maxMessage, secrets)
		return
	}
	answer.Message = shown(message(fields), maxMessage, secrets)
	if id, err := uuid.Parse(text(fields["errorId"])); err == nil {
		answer.ErrorID = id.String()
	}
}

// plainState is the status word of a body that has nothing but one that Mindbox documents, as nearly all have: {"status":"Success"}
// needs no decoder. "" for any other.
func plainState(body []byte) string {
	const blanks = " \t\r\n"
	for _, token := range [...]string{"{", `"status"`, ":"} {
		rest, ok := bytes.CutPrefix(bytes.TrimLeft(body, blanks), []byte(token))
		if !ok {
			return ""
		}
		body = rest
	}
	word, ok := bytes.CutSuffix(bytes.Trim(body, blanks), []byte("}"))
	word = bytes.TrimRight(word, blanks)
	if !ok || len(word) < 2 || word[0] != '"' || word[len(word)-1] != '"' {
		return ""
	}
	word = word[1 : len(word)-1]
	if i := slices.IndexFunc(states, func(s string) bool { return s == string(word) }); i >= 0 {
		return states[i]
	}
	return ""
}

// object reads the fields of a JSON object, and whether it comes to its end; those up to there if not. What
// follows it does not matter.
func object(body []byte) (fields map[string]json.RawMessage, whole bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	fields = map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			return fields, false
		}
		fields[name.(string)] = value
	}
	_, err := d.Token()
	return fields, err == nil
}

// fromMindbox reports whether an object is an answer of Mindbox: it has one of its status words, or a
// field that its errors have.
func fromMindbox(state string, fields map[string]json.RawMessage) bool {
	ours := known(state)
	for _, name := range []string{"errorMessage", "errorId", "validationMessages", "httpStatusCode"} {
		_, there := fields[name]
		ours = ours || there
	}
	return ours
}

// known reports whether a status word is one that Mindbox documents: there is nothing in it to hide.
func known(state string) bool {
	return slices.ContainsFunc(states, func(s string) bool { return strings.EqualFold(s, state) })
}

// message joins errorMessage and validationMessages. The latter come as
// {"message": "...", "location": "/customer/email"}; location may be missing.
func message(fields map[string]json.RawMessage) string {
	var parts []string
	if s := text(fields["errorMessage"]); s != "" {
		parts = append(parts, s)
	}
	var list []map[string]json.RawMessage
	if raw := fields["validationMessages"]; len(raw) > 0 && json.Unmarshal(raw, &list) == nil {
		for _, m := range list {
			s := text(m["message"])
			if location := text(m["location"]); location != "" {
				s = location + ": " + s
			}
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "; ")
}

// text is a JSON string, or "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// shown are Mindbox's words fit to be kept and shown: it quotes the request, and the phones and e-mail
// addresses that it refuses. The mask may undo an encoding in which a secret stood.
func shown(words string, limit int, secrets []string) string {
	if words == "" {
		return ""
	}
	return scrub(show.Line(scrub(words, secrets...), limit), secrets...)
}

// scrub takes the secrets out of a text that quotes the request.
func scrub(s string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue // "a" would be everywhere, and is no secret
		}
		s = strings.ReplaceAll(s, secret, show.Hidden)
		s = strings.ReplaceAll(s, url.QueryEscape(secret), show.Hidden)
	}
	return s
}
