package calltouch

import (
	"cmp"
	"fmt"
	"iter"
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
	return t.Truncate(time.Second), err == nil && t.Unix() >= 0 && t.Unix() < lastSecond
}

// lastSecond is the end of the times that an event can have, in Unix seconds: the year 2100. They begin with 1970. What lies
// outside is a placeholder (0000-00-00) or a unit mistaken for another, and is no time at all.
const lastSecond = 4_102_444_800

// moment finds when an event happened: by Unix time where there is one, in seconds or (the
// requests API) in milliseconds, since those know no zone; else by the first local time that can
// be read. It returns the zero time when nothing says.
func moment(seconds, millis any, zone *time.Location, locals ...string) time.Time {
	if n, ok := integral(seconds); ok && n > 0 && n < lastSecond {
		return time.Unix(n, 0).In(zone)
	}
	if n, ok := integral(millis); ok && n > 0 && n < lastSecond*1000 {
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

// span bounds seconds from a stranger to what a call can last.
func span(seconds int64) time.Duration {
	return time.Duration(min(max(seconds, 0), 7*24*3600)) * time.Second
}

const (
	// zoneSlack is how far two clocks of the same moment may be apart.
	zoneSlack = 2 * time.Second
	// maxZone is beyond every offset between two zones.
	maxZone = 26 * time.Hour
	// zoneStep is by how much two zones differ: some are half an hour off the others.
	zoneStep = 30 * time.Minute
)

// wrongZone compares a hook's two words for one moment. It returns the offset from UTC that its
// local time has, as UTC+3, when that is a whole number of half hours off the offset of the zone; "" when
// they agree, or differ in a way that no zone explains.
func wrongZone(seconds int64, local string, zone *time.Location) string {
	at := time.Unix(seconds, 0).In(zone)
	said, ok := parseLocal(local, zone)
	if !ok || seconds <= 0 || seconds >= lastSecond {
		return ""
	}
	off := said.Sub(at)
	steps := off.Round(zoneStep)
	if steps == 0 || steps.Abs() > maxZone || (off-steps).Abs() > zoneSlack {
		return ""
	}
	_, offset := at.Zone()
	return "UTC" + offsetText(time.Duration(offset)*time.Second+steps)
}

// offsetText writes +3, -5 or +5:30.
func offsetText(d time.Duration) string {
	text := fmt.Sprintf("%+d", int(d/time.Hour))
	if minutes := int((d % time.Hour).Abs() / time.Minute); minutes > 0 {
		text += fmt.Sprintf(":%02d", minutes)
	}
	return text
}

// Day is a calendar day of a cabinet. It has no zone and no length: in a zone with summer time a
// day may have 23 or 25 hours, and none of that matters to Calltouch's API, which takes whole
// days on the cabinet's clock.
type Day struct{ days int64 } // since 1970-01-01

const secondsPerDay = 24 * 60 * 60

// DayOf returns the day on which t falls in zone l.
func DayOf(t time.Time, l *time.Location) Day {
	y, m, d := t.In(l).Date()
	return Day{time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay}
}

// ParseDay reads a day as people write it: 2026-10-01.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Day{}, fmt.Errorf("%q is no day: write it as 2026-10-01", s)
	}
	return DayOf(t, time.UTC), nil
}

// Format writes the day in a layout of package time.
func (d Day) Format(layout string) string {
	return time.Unix(d.days*secondsPerDay, 0).UTC().Format(layout)
}

// String is the day as people write it: 2026-10-01.
func (d Day) String() string { return d.Format(time.DateOnly) }

// Before reports whether d comes before e.
func (d Day) Before(e Day) bool { return d.days < e.days }

// Compare is -1, 0 or 1 as d comes before e, is e, or comes after it.
func (d Day) Compare(e Day) int { return cmp.Compare(d.days, e.days) }

// Next is the day after d.
func (d Day) Next() Day { return Day{d.days + 1} }

// Sub is the number of days from e to d.
func (d Day) Sub(e Day) int { return int(d.days - e.days) }

// MarshalText makes a day 2026-10-01 in JSON.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDay(string(b))
	return err
}

// Days yields the days from the first to the last, both included.
func Days(first, last Day) iter.Seq[Day] {
	return func(yield func(Day) bool) {
		for d := first; !last.Before(d); d = d.Next() {
			if !yield(d) {
				return
			}
		}
	}
}
