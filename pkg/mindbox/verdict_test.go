package mindbox_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/touchbox/touchbox/pkg/mindbox"
)

// states are the status words of an answer: the documented ones, none, and one nobody knows.
var states = []string{"", "Success", "TransactionAlreadyProcessed", "ValidationError", "ProtocolError", "InternalServerError", "Surprise"}

// TestJudgeEveryCode lists every HTTP status with every status word. want is written down by
// ranges of codes, apart from the code under test.
func TestJudgeEveryCode(t *testing.T) {
	retry := mindbox.Verdict{Action: mindbox.Retry, Reason: "server_error", Pins: true, Failure: true}
	refused := func(reason mindbox.Reason) mindbox.Verdict {
		return mindbox.Verdict{Action: mindbox.Refused, Reason: reason}
	}
	outage := func(reason mindbox.Reason, pins bool) mindbox.Verdict {
		return mindbox.Verdict{Action: mindbox.Retry, Reason: reason, Pins: pins, Failure: true}
	}
	inside := map[string]mindbox.Verdict{
		"":                            outage("unclear_answer", true),
		"Success":                     {Action: mindbox.Success, Reason: "accepted"},
		"TransactionAlreadyProcessed": {Action: mindbox.Success, Reason: "already_processed"},
		"ValidationError":             refused("validation_error"),
		"ProtocolError":               refused("protocol_error"),
		"InternalServerError":         retry,
		"Surprise":                    refused("unknown_status"),
	}
	single := map[int]mindbox.Verdict{
		400: refused("protocol_error"),
		401: {Action: mindbox.ParkEndpoint, Reason: "credentials_missing"},
		403: {Action: mindbox.ParkEndpoint, Reason: "credentials_refused"},
		404: {Action: mindbox.ParkLink, Reason: "not_found"},
		407: outage("not_mindbox", false),
		408: outage("request_timeout", true),
		409: refused("conflict"),
		429: {Action: mindbox.Slow, Reason: "too_many_requests"},
	}
	for status := 100; status <= 599; status++ {
		for _, state := range states {
			want, ok := single[status]
			switch {
			case ok:
			case status < 200:
				want = mindbox.Verdict{Action: mindbox.Retry, Reason: "unknown_code", Pins: true}
			case status < 300:
				want = inside[state]
			case status < 400:
				want = outage("redirect", false)
			case status < 500:
				want = refused("client_error")
			default:
				want = retry
			}
			if got := mindbox.Judge(mindbox.Answer{Status: status, State: state}); got != want {
				t.Errorf("%d %q: got %+v, want %+v", status, state, got, want)
			}
		}
	}
}

// TestJudgeKnowsWhoseAnswerItIs: what is not Mindbox's buries nothing and asks for no other key,
// whatever its status.
func TestJudgeKnowsWhoseAnswerItIs(t *testing.T) {
	for status := 200; status <= 599; status++ {
		got := mindbox.Judge(mindbox.Answer{Status: status, Foreign: true, Message: "<html>Checking your browser"})
		if other := mindbox.Judge(mindbox.Answer{Status: status, Foreign: true, State: "ok", Message: `{"status":"ok"}`}); other != got {
			t.Errorf("%d with a status word of somebody else's: got %+v, want %+v", status, other, got)
		}
		want := mindbox.Verdict{Action: mindbox.Retry, Reason: "not_mindbox", Failure: true}
		switch {
		case status < 300:
			want.Reason, want.Pins = "unclear_answer", true
		case status < 400:
			want.Reason = "redirect"
		case status == 408:
			want.Reason, want.Pins = "request_timeout", true
		case status == 429:
			want = mindbox.Verdict{Action: mindbox.Slow, Reason: "too_many_requests"}
		case status >= 500:
			want.Reason, want.Pins = "server_error", true
		}
		if got != want {
			t.Errorf("%d: got %+v, want %+v", status, got, want)
		}
	}
	for _, status := range []int{401, 403, 404} { // without a body they park, as Mindbox's own do
		if got := mindbox.Judge(mindbox.Answer{Status: status, Foreign: true}); got.Action != mindbox.ParkEndpoint && got.Action != mindbox.ParkLink {
			t.Errorf("%d without a body: %+v", status, got)
		}
	}
}

func TestJudgeTransport(t *testing.T) {
	tests := []struct {
		failure mindbox.Failure
		unsent  bool
		want    mindbox.Verdict
	}{
		{mindbox.FailureTimeout, false, mindbox.Verdict{Action: mindbox.Retry, Reason: "timeout", Pins: true, Failure: true}},
		{mindbox.FailureTimeout, true, mindbox.Verdict{Action: mindbox.Retry, Reason: "timeout", Failure: true}},
		{mindbox.FailureConnection, false, mindbox.Verdict{Action: mindbox.Retry, Reason: "connection", Pins: true, Failure: true}},
		{mindbox.FailureConnect, true, mindbox.Verdict{Action: mindbox.Retry, Reason: "connect", Failure: true}},
		{mindbox.FailureName, true, mindbox.Verdict{Action: mindbox.Retry, Reason: "name", Failure: true}},
		{mindbox.FailureTLS, true, mindbox.Verdict{Action: mindbox.Retry, Reason: "tls", Failure: true}},
		{mindbox.FailureInterrupted, false, mindbox.Verdict{Action: mindbox.Retry, Reason: "interrupted", Pins: true}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s unsent %v", tt.failure, tt.unsent), func(t *testing.T) {
			// A status in hand changes nothing: the answer did not come whole.
			for _, status := range []int{0, 200, 400} {
				answer := mindbox.Answer{Status: status, State: "Success", Err: &mindbox.TransportError{Failure: tt.failure}, Unsent: tt.unsent}
				if got := mindbox.Judge(answer); got != tt.want {
					t.Errorf("status %d: got %+v, want %+v", status, got, tt.want)
				}
			}
		})
	}
	if got := mindbox.Judge(mindbox.Answer{Err: errors.New("strange")}); got.Action != mindbox.Retry || !got.Pins {
		t.Errorf("an unknown error is %+v, want a retry that pins", got)
	}
}

func TestJudgeReadsStatusWordsLoosely(t *testing.T) {
	if got := mindbox.Judge(mindbox.Answer{Status: 200, State: "success"}); got.Action != mindbox.Success {
		t.Errorf("got %+v", got)
	}
}

// A record of an earlier version says of its attempt no more than the reason.
func TestMayHaveRun(t *testing.T) {
	may := map[mindbox.Reason]bool{
		"unclear_answer": true, "server_error": true, "request_timeout": true, "unknown_code": true,
		"timeout": true, "name": true, "connect": true, "tls": true, "connection": true, "interrupted": true,
	}
	for _, reason := range mindbox.Reasons {
		if got := reason.MayHaveRun(); got != may[reason] {
			t.Errorf("%s: %v", reason, got)
		}
	}
	if !mindbox.Reason("of a newer Touchbox").MayHaveRun() {
		t.Error("an unknown reason: a second execution is worse than an old endpoint")
	}
}

// TestFailureOfOthers: Mindbox itself fails with 408 and 5xx; all else comes from something in its place.
func TestFailureOfOthers(t *testing.T) {
	for status, want := range map[int]bool{0: false, 200: true, 302: true, 400: true, 403: true, 407: true, 408: false, 500: false, 503: false} {
		if got := mindbox.FailureOfOthers(status); got != want {
			t.Errorf("%d: %v", status, got)
		}
	}
}
