package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// chart is bars beside each other, as an SVG of a few paths: what was delivered, what was not, what has to be tried again.
type chart struct {
	Title, Desc   string
	Width, Height int
	Paths         []chartPath
	Most          int       // of the highest bar
	Legend        []word    // what its colours say
	From, To      time.Time // when the first and the last bar begin
}

// chartPath is the bars of one colour, as strokes from the bottom up.
type chartPath struct{ Class, D string }

// A bar is so wide, with its gap, and the chart so high, in pixels.
const (
	barWidth  = 6
	barHeight = 24
)

// span is a bar: an hour, or a day.
type span struct {
	Start                time.Time
	Known                bool
	Good, Bad, Wait, Off int // delivered, not delivered, attempts that came to nothing, filtered
}

// spanOf adds hours up.
func spanOf(hours []admin.Hour) span {
	s := span{Start: hours[0].Start, Known: true}
	for _, h := range hours {
		s.Known = s.Known && h.Known
		s.Good += h.Counts[event.Delivered] + h.Counts[event.Shadow]
		s.Bad += h.Counts[event.Dead] + h.Counts[event.Undeliverable] + h.Counts[event.Abandoned]
		s.Wait += h.Counts[event.Waiting]
		s.Off += h.Counts[event.Filtered]
	}
	return s
}

// perHour are hours as bars.
func perHour(hours []admin.Hour) []span {
	spans := make([]span, len(hours))
	for i := range hours {
		spans[i] = spanOf(hours[i : i+1])
	}
	return spans
}

// perDay are the days of a zone as bars, whose hours may be some of a day.
func perDay(hours []admin.Hour, zone *time.Location) []span {
	var spans []span
	day := func(h admin.Hour) string { return h.Start.In(zone).Format(time.DateOnly) }
	for from := 0; from < len(hours); {
		to := from + 1
		for to < len(hours) && day(hours[to]) == day(hours[from]) {
			to++
		}
		spans = append(spans, spanOf(hours[from:to]))
		from = to
	}
	return spans
}

// draw draws bars. What is not known is a short grey stroke, and nothing is no stroke at all.
func draw(l lang.Language, title string, spans []span) chart {
	most, all := 0, span{}
	unknown := 0
	for _, s := range spans {
		most = max(most, s.Good+s.Bad+s.Wait)
		all.Good, all.Bad, all.Wait = all.Good+s.Good, all.Bad+s.Bad, all.Wait+s.Wait
		if !s.Known {
			unknown++
		}
	}
	c := chart{Title: title, Width: len(spans) * barWidth, Height: barHeight + 1, Most: most, Legend: legend(l, all)}
	most = max(most, 1)
	if len(spans) > 0 {
		c.From, c.To = spans[0].Start, spans[len(spans)-1].Start
	}
	c.Desc = l.Sprintf("delivered: %s, not delivered: %s, to be tried again: %s", number(l, all.Good), number(l, all.Bad), number(l, all.Wait))
	if unknown > 0 {
		c.Desc += l.Sprintf("; not known: %d of %d", unknown, len(spans))
	}
	var good, bad, wait, none strings.Builder
	for i, s := range spans {
		x, y := i*barWidth+barWidth/2, barHeight
		if !s.Known {
			fmt.Fprintf(&none, "M%d %dv-2", x, y)
			continue
		}
		for _, part := range []struct {
			n  int
			to *strings.Builder
		}{{s.Good, &good}, {s.Wait, &wait}, {s.Bad, &bad}} {
			if part.n == 0 {
				continue
			}
			height := max(1, part.n*barHeight/most)
			fmt.Fprintf(part.to, "M%d %dv-%d", x, y, height)
			y -= height
		}
	}
	axis := fmt.Sprintf("M0 %dh%d", barHeight, c.Width)
	for _, path := range []chartPath{{"axis", axis}, {"good", good.String()}, {"wait", wait.String()}, {"bad", bad.String()}, {"none", none.String()}} {
		if path.D != "" {
			c.Paths = append(c.Paths, path)
		}
	}
	return c
}

// legend says what the colours of bars say, of those that there are.
func legend(l lang.Language, s span) (list []word) {
	for _, one := range []struct {
		n    int
		word word
	}{{s.Good, outcomeWords[event.Delivered]}, {s.Wait, word{Text: "to be tried again", Class: "wait"}}, {s.Bad, outcomeWords[event.Dead]}} {
		if one.n > 0 {
			one.word.Sign = "■"
			list = append(list, inWords(l, one.word, ""))
		}
	}
	return list
}

// hoursOfDay and hoursOfMonth are how far the charts go back.
const (
	hoursOfDay   = 24
	hoursOfMonth = 30 * 24
)

// lastDay draws the last day of a link.
func (c *Console) lastDay(l lang.Language, link string) chart {
	return draw(l, l.Sprintf("%s, the last 24 hours", link), perHour(c.hours(link, hoursOfDay)))
}

func (c *Console) hours(link string, n int) []admin.Hour {
	board := c.Admin().Board
	if board == nil {
		return make([]admin.Hour, n)
	}
	return board.Hours(link, n)
}
