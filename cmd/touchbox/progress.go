package main

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// Bars say what they count.
var (
	countsItems = progressbar.OptionShowCount()
	countsReads = both(progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(barEvery))
	countsBytes = progressbar.OptionShowBytes(true)
	countsSteps = progressbar.OptionSetPredictTime(false) // whoever draws them says how long it takes
)

// barEvery is how often a bar is drawn that many steps a second move.
const barEvery = 100 * time.Millisecond

// both are two and more options as one.
func both(options ...progressbar.Option) progressbar.Option {
	return func(bar *progressbar.ProgressBar) {
		for _, one := range options {
			one(bar)
		}
	}
}

// progress is the bar that a long command draws on a terminal.
type progress struct {
	c    *cli
	what progressbar.Option
	bar  *progressbar.ProgressBar // nil until something is shown
	step any                      // that the bar is of
	text string                   // that stands before it
	most int64                    // its length
}

// newProgress is nil where nobody sees a bar: standard error is no terminal.
func (c *cli) newProgress(what progressbar.Option) *progress {
	if !app.IsTerminal(c.screen) {
		return nil
	}
	return &progress{c: c, what: what}
}

// show draws how far a step has come: a bar of its own for each step, whose length may still change.
func (p *progress) show(step any, text string, done, total int) {
	most := max(1, int64(total))
	if p.bar == nil || step != p.step {
		if p.bar != nil {
			_ = p.bar.Clear()
		}
		p.bar = progressbar.NewOptions64(most, progressbar.OptionSetWriter(p.c.screen), p.what,
			progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(false))
		p.step, p.text, p.most = step, "", most
	}
	if text != p.text { // each of these draws it anew
		p.bar.Describe(text)
		p.text = text
	}
	if most != p.most {
		p.bar.ChangeMax64(most)
		p.most = most
	}
	_ = p.bar.Set64(min(int64(done), most))
}

// scanBar draws how far a read of a whole stream is, with its rate and what it will take, a bar for each
// stream, on a terminal; elsewhere it stays silent. A read that is over before scanPatience draws none.
func (c *cli) scanBar() func(admin.Scanned) {
	bar := c.newProgress(countsReads)
	if bar == nil {
		return nil
	}
	began := time.Now()
	return func(s admin.Scanned) {
		if time.Since(began) < scanPatience {
			return
		}
		text := c.lang.Text("reading the log")
		if s.Stream == event.HistoryStream {
			text = c.lang.Text("reading the history")
		}
		bar.show(s.Stream, text, int(s.Done), int(s.Total))
	}
}

const scanPatience = 500 * time.Millisecond
