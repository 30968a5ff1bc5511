package calltouch

import (
	"fmt"
	"iter"
	"time"
)

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
