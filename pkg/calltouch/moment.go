package calltouch

import (
	"strings"
	"time"
)

// hookTime is how the webhook writes a local time; apiTime is how the API writes it.
const (
	hookTime = "2006-01-02 15:04:05"
	apiTime  = "02/01/2006 15:04:05"
)

// asHookTime writes a local time the webhook's way, whichever way it came. What is no time stays.
func asHookTime(s string) string {
	if len(s) > 2 && s[2] == '/' {
		if t, err := time.Parse(apiTime, strings.TrimSpace(s)); err == nil {
			return t.Format(hookTime)
		}
	}
	return s
}

// parseLocal reads a local time of the cabinet, written either way.
func parseLocal(s string, zone *time.Location) (time.Time, bool) {
	s = asHookTime(strings.TrimSpace(s))
	if len(s) == len(hookTime) && s[10] == 'T' {
		s = s[:10] + " " + s[11:]
	}
	t, err := time.ParseInLocation(hookTime, s, zone)
	return t.Truncate(time.Second), err == nil
}

// maxSeconds is beyond every Unix time in seconds and below those in milliseconds.
const maxSeconds = 100_000_000_000

// moment finds when an event happened: by Unix time where there is one, in seconds or (the
// requests API) in milliseconds, since those know no zone; else by the first local time that can
// be read. It returns the zero time when nothing says.
func moment(seconds, millis any, zone *time.Location, locals ...string) time.Time {
	if n, ok := integral(seconds); ok && n > 0 && n < maxSeconds {
		return time.Unix(n, 0).In(zone)
	}
	if n, ok := integral(millis); ok && n > 0 && n < maxSeconds*1000 {
		return time.UnixMilli(n).Truncate(time.Second).In(zone)
	}
	for _, s := range locals {
		if t, ok := parseLocal(s, zone); ok {
			return t
		}
	}
	return time.Time{}
}

// integral returns a number without its fraction.
func integral(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case float64:
		return int64(n), n > -exactInteger && n < exactInteger
	}
	return 0, false
}

// Ended returns when the call in f was over: start + waiting + duration. Calltouch has been seen
// to give a negative duration; it counts as nothing. The time is zero when f has no start.
func Ended(f Fields) time.Time {
	start, ok := f["time"].(time.Time)
	if !ok {
		return time.Time{}
	}
	waiting, _ := integral(f["waiting_time"])
	duration, _ := integral(f["duration"])
	return start.Add(span(waiting) + span(duration))
}

// span bounds seconds from a stranger to what a call can last.
func span(seconds int64) time.Duration {
	return time.Duration(min(max(seconds, 0), 7*24*3600)) * time.Second
}
