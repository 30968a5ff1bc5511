package lang

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time, as exact as it was given: 1h2m3s, 1 ч 2 мин 3 с.
func (l Language) Duration(d time.Duration) string {
	if l != Russian {
		return d.String()
	}
	if d < 0 {
		return "-" + l.Duration(-d)
	}
	switch {
	case d == 0:
		return "0 с"
	case d < time.Millisecond:
		return decimal(d, time.Microsecond) + " мкс"
	case d < time.Second:
		return decimal(d, time.Millisecond) + " мс"
	}
	var parts []string
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "д"}, {time.Hour, "ч"}, {time.Minute, "мин"}} {
		if n := d / unit.size; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+" "+unit.name)
			d -= n * unit.size
		}
	}
	if d > 0 {
		parts = append(parts, decimal(d, time.Second)+" с")
	}
	return strings.Join(parts, " ")
}

// decimal is a number of units with a comma before its fraction.
func decimal(d, unit time.Duration) string {
	return strings.Replace(strconv.FormatFloat(float64(d)/float64(unit), 'f', -1, 64), ".", ",", 1)
}

// withComma is a number whose fraction stands behind a comma.
type withComma float64

// Format writes the number as the verb asks.
func (n withComma) Format(state fmt.State, verb rune) {
	text := fmt.Sprintf(fmt.FormatString(state, verb), float64(n))
	_, _ = io.WriteString(state, strings.Replace(text, ".", ",", 1))
}

// Moment is a time as a table shows it, in its own zone. Russian leaves the year out where it is that of now.
func (l Language) Moment(t, now time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case l != Russian:
		return t.Format(time.DateTime)
	case t.Year() == now.In(t.Location()).Year():
		return t.Format("02.01 15:04:05")
	}
	return t.Format("02.01.2006 15:04:05")
}
