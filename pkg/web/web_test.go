package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/web"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		name, value, date string
		want              time.Duration
	}{
		{"nothing", "", "", 0},
		{"seconds", "17", "", 17 * time.Second},
		{"a part of a second", " 1.2 ", "", 2 * time.Second},
		{"a week", "604800", "", time.Hour},
		{"more than any number", "1e300", "", time.Hour},
		{"less than nothing", "-1e300", "", 0},
		{"no number", "NaN", "", 0},
		{"words", "soon", "", 0},
		{"a date, by the answer's own clock", at(time.Minute), at(0), time.Minute},
		{"a date that is over", at(-time.Minute), at(0), 0},
		{"a date far away", at(48 * time.Hour), at(0), time.Hour},
		{"a date that is over, by our clock", "Sun, 06 Nov 1994 08:49:37 GMT", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{"Retry-After": {tt.value}, "Date": {tt.date}}
			if got := web.RetryAfter(header, time.Hour); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestHeaderValueIsTakenByNetHTTP(t *testing.T) {
	if got := web.HeaderValue(" a\r\nb\x7fc "); got != "a  b c" {
		t.Errorf("got %q", got)
	}
}

func TestTransport(t *testing.T) {
	a, b := web.Transport(web.Pings), web.Transport(http.HTTP2Config{PingTimeout: time.Second})
	if a.HTTP2.PingTimeout != 10*time.Second || b.HTTP2.PingTimeout != time.Second || a.MaxResponseHeaderBytes != 64<<10 || !a.ForceAttemptHTTP2 {
		t.Errorf("%+v, %+v", a.HTTP2, b.HTTP2)
	}
}
