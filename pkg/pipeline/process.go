package pipeline

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// passage is one event on its way through one link.
type passage struct {
	*setup
	gates    gates
	delivery *queue.Delivery
	now      time.Time

	fields   calltouch.Fields
	rendered link.Rendered
	detail   Detail
	decision queue.Decision
}

// setup is a link with all that its events need, as one version of the file says. It does not
// change.
type setup struct {
	link  *link.Link
	views map[string]calltouch.View // by site
	to    *destination
	retry func(attempt int, upTo time.Duration) time.Duration

	// undeclared is told of attributes that an event brought and that the file does not name.
	undeclared func(site string, names []string)
}

// stage is one step on the way. It returns true when it has decided; then no later stage runs.
type stage func(ctx context.Context, p *passage) bool

// stages are the whole way. What an event costs grows from stage to stage, and only the last one
// leaves this process.
var stages = []stage{parse, filter, render, require, expire, shadow, deliver}

// process takes an event through the stages.
func process(ctx context.Context, s *setup, g gates, d *queue.Delivery) queue.Decision {
	p := &passage{setup: s, gates: g, delivery: d, now: time.Now()}
	p.decision = queue.Decision{Attempts: d.Attempts, First: d.First, Pin: d.Pin, Version: s.link.Version}
	for _, stage := range stages {
		if stage(ctx, p) {
			break
		}
	}
	if !p.detail.empty() {
		p.decision.Detail = p.detail
	}
	return p.decision
}

// decide ends the way with an outcome and its reason.
func (p *passage) decide(outcome event.Outcome, reason string) bool {
	p.decision.Outcome, p.decision.Reason = outcome, reason
	return true
}
