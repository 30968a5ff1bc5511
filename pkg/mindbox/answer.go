package mindbox

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
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

// Answer is what came back from one attempt.
type Answer struct {
	Status     int           // HTTP; 0 when none came
	State      string        // the body's `status`; "" when the body is no JSON object or has none
	Message    string        // what Mindbox says about it, masked and cut
	ErrorID    string        // Mindbox's errorId, a UUID to ask its support about; may be missing
	RetryAfter time.Duration // asked for by the answer, at most a day; 0 when it asks for nothing
	Err        error         // a *TransportError: no whole answer came
	Unsent     bool          // with Err: no connection was made, so Mindbox cannot have executed it
	Duration   time.Duration
}

// readAnswer reads loosely, as Mindbox asks its clients to: unknown fields, any order, nothing
// obligatory.
func readAnswer(response *http.Response, secret string) Answer {
	answer := Answer{Status: response.StatusCode, RetryAfter: retryAfter(response.Header)}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRead))
	if err != nil {
		answer.Err = transportError(err)
		return answer
	}
	// Only a body read to its end leaves the connection usable; an endless one is cut off.
	_, _ = io.CopyN(io.Discard, response.Body, maxDrain)
	parseBody(&answer, body, secret)
	return answer
}

func parseBody(answer *Answer, body []byte, secret string) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	var fields map[string]json.RawMessage
	// A decoder, not Unmarshal: what follows the first value does not matter.
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&fields); err != nil {
		answer.Message = Mask(scrub(string(body), secret), maxMessage)
		return
	}
	answer.State = Mask(scrub(text(fields["status"]), secret), maxState)
	answer.Message = Mask(scrub(message(fields), secret), maxMessage)
	if id, err := uuid.Parse(text(fields["errorId"])); err == nil {
		answer.ErrorID = id.String()
	}
}

// message joins errorMessage and validationMessages. The latter come as
// {"message": "...", "location": "/customer/email"}; location may be missing.
func message(fields map[string]json.RawMessage) string {
	var parts []string
	if s := text(fields["errorMessage"]); s != "" {
		parts = append(parts, s)
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal(fields["validationMessages"], &list) == nil {
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
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// scrub takes the secret out of a text that quotes the request.
func scrub(s, secret string) string {
	if len(secret) < 4 {
		return s // "a" would be everywhere, and is no secret
	}
	return strings.NewReplacer(secret, "***", url.QueryEscape(secret), "***").Replace(s)
}

// retryAfter reads Retry-After in both its forms. A date is taken against the answer's own Date,
// so that a wrong clock on either side does no harm.
func retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return boundRetryAfter(time.Duration(math.Min(math.Ceil(seconds), maxRetryAfter.Seconds())) * time.Second)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		from = time.Now()
	}
	return boundRetryAfter(at.Sub(from))
}

func boundRetryAfter(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }
