package admin

import (
	"strconv"
	"strings"
	"time"
)

// moments are the forms of a time in a person's own zone.
var moments = []string{
	time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime,
	"02.01.2006", "02.01.2006 15:04", "02.01.2006 15:04:05", // as they are shown in Russian
}

// ReadMoment reads a time as people give it: a day or a time in their zone, RFC 3339, or how long before now
// (2h, 3d). False where it is none of these; "" is the zero time.
func ReadMoment(text string, zone *time.Location, now time.Time) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	if ago, ok := readAgo(text); ok {
		return now.Add(-ago), true
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	for _, layout := range moments {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// mostDays is how many days a time may lie back: more than there were, and no more than a duration holds.
const mostDays = 36_500

// readAgo reads a duration, of days too.
func readAgo(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n >= 0 && n <= mostDays) {
			return 0, false
		}
		return time.Duration(n * 24 * float64(time.Hour)), true
	}
	ago, err := time.ParseDuration(text)
	return ago, err == nil && ago >= 0
}
