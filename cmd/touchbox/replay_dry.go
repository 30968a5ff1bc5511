package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// dryShown is how many items a dry run shows with what would be sent.
const dryShown = 20

// dryJSON is the result of a dry run.
type dryJSON struct {
	Selected int           `json:"selected"`
	Items    []previewJSON `json:"items"` // the first ones
}

type previewJSON struct {
	Key string `json:"key"`
	admin.Preview
}

// dryRun says how many events a replay would take and which, and shows for the first of them what
// was sent beside what would be.
func (d *desk) dryRun(ctx context.Context, items []admin.Item, how admin.Replay) error {
	view := dryJSON{Selected: len(items), Items: []previewJSON{}}
	if !d.json {
		d.say("a replay would take: %d", len(items))
	}
	for _, item := range items[:min(len(items), dryShown)] {
		p, err := d.Preview(ctx, item, how, d.reveal)
		if errors.Is(err, queue.ErrNotFound) {
			continue // it has gone on in the meantime
		}
		if errors.Is(err, admin.ErrGone) {
			p.Problem, err = err.Error(), nil
		}
		if err != nil {
			return err
		}
		if !d.json {
			d.printPreview(p)
		}
		view.Items = append(view.Items, previewJSON{Key: item.Key.String(), Preview: p})
	}
	if d.json {
		return d.showJSON(view, false)
	}
	if more := len(items) - dryShown; more > 0 {
		d.say("... and %d more", more)
		for _, item := range items[dryShown:min(len(items), dryShown+admin.DefaultLimit)] {
			_, _ = fmt.Fprintf(d.out, "%s  %s\n", item.Link, item.Key)
		}
	}
	return nil
}

func (d *desk) printPreview(p admin.Preview) {
	_, _ = fmt.Fprintf(d.out, "\n%s  %s  %s\n", p.Link, p.Key, admin.Printable(reasonCell(p.Reason, p.Status)))
	if p.Pin != nil {
		d.say("  keeps endpoint %s and operation %s of its first attempt", admin.Printable(p.Pin.Endpoint), admin.Printable(p.Pin.Operation))
	}
	switch {
	case p.Now == nil:
		d.say("  nothing would be sent: %s", admin.Printable(p.Problem))
		return
	case p.Now.Request == nil:
		d.say("  nothing would be sent: %s", string(p.Now.Outcome))
		return
	}
	d.say("  today's link makes of it: %s", string(p.Now.Outcome))
	if p.Then == nil || p.Then.Request == nil {
		d.say("  what was sent is no longer known; now:")
		d.printLines(nil, requestLines(p.Now.Request))
		return
	}
	d.printLines(requestLines(p.Then.Request), requestLines(p.Now.Request))
}

// requestLines is a request, one thing a line.
func requestLines(r *link.Request) []string {
	var body bytes.Buffer
	if json.Indent(&body, r.Body, "", "  ") != nil {
		body.Write(r.Body)
	}
	return append([]string{r.Method + " " + r.URL}, strings.Split(body.String(), "\n")...)
}

// printLines prints the lines of now, with - before those that have gone and + before new ones.
func (d *desk) printLines(then, now []string) {
	if then == nil {
		then = now
	}
	if slices.Equal(then, now) {
		for _, line := range now {
			_, _ = fmt.Fprintf(d.out, "    %s\n", admin.Printable(line))
		}
		return
	}
	for _, line := range difference(then, now) {
		_, _ = fmt.Fprintf(d.out, "  %s %s\n", line[:1], admin.Printable(line[1:]))
	}
}

// difference is the shortest list of lines that turns then into now: each begins with a blank, a
// - or a +. Requests are short, so the plain table of common lines will do.
func difference(then, now []string) []string {
	common := make([][]int, len(then)+1)
	for i := range common {
		common[i] = make([]int, len(now)+1)
	}
	for i := len(then) - 1; i >= 0; i-- {
		for j := len(now) - 1; j >= 0; j-- {
			if then[i] == now[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []string
	i, j := 0, 0
	for i < len(then) || j < len(now) {
		switch {
		case i < len(then) && j < len(now) && then[i] == now[j]:
			out = append(out, " "+now[j])
			i, j = i+1, j+1
		case j == len(now) || i < len(then) && common[i+1][j] >= common[i][j+1]:
			out = append(out, "-"+then[i])
			i++
		default:
			out = append(out, "+"+now[j])
			j++
		}
	}
	return out
}
