package pipeline

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox"
)

// The stages before the last are a few lines each and stand together, in their order.

// maxError bounds the text of an expression's error.
const maxError = 500

// parse reads the raw body into the vocabulary.
func parse(_ context.Context, p *passage) bool {
	view, ok := p.views[p.delivery.Event.Key.Site]
	if !ok {
		return p.decide(event.Dead, ReasonUnknown)
	}
	fields, err := calltouch.Parse(p.delivery.Event, view)
	if err != nil {
		return p.decide(event.Dead, ReasonUnreadable)
	}
	p.fields = fields
	if names := fields.Undeclared(view); len(names) > 0 {
		p.undeclared(p.delivery.Event.Key.Site, names)
	}
	return false
}

// filter asks the link's conditions. One that fails to answer buries the event: it must neither be
// sent unfiltered nor be dropped.
func filter(_ context.Context, p *passage) bool {
	verdict, err := p.link.Filter(p.fields)
	if err != nil {
		return p.failed(err)
	}
	if !verdict.Pass {
		p.detail.Conditions = masked(verdict)
		return p.decide(event.Filtered, ReasonCondition)
	}
	return false
}

// render makes the request. Today's link renders, also for a retry.
func render(_ context.Context, p *passage) bool {
	rendered, err := p.link.Render(p.fields)
	if err != nil {
		return p.failed(err)
	}
	p.rendered = rendered
	p.detail.Notes = rendered.Notes
	return false
}

func (p *passage) failed(err error) bool {
	p.detail.Error = mindbox.Mask(err.Error(), maxError)
	return p.decide(event.Dead, ReasonExpression)
}

// require keeps back what Mindbox would lose without a word: without an identifier it answers
// Success and saves nothing.
func require(_ context.Context, p *passage) bool {
	if len(p.rendered.Missing) == 0 {
		return false
	}
	p.detail.Missing = p.rendered.Missing
	return p.decide(event.Undeliverable, ReasonMissing)
}

// expire buries what would come too late to be of use. A person who replays knows how old it is.
func expire(_ context.Context, p *passage) bool {
	if p.link.Expire <= 0 || p.delivery.Replayed {
		return false
	}
	happened, ok := p.fields["time"].(time.Time)
	if !ok {
		happened = p.delivery.Event.Time
	}
	if p.now.Sub(happened) <= p.link.Expire {
		return false
	}
	return p.decide(event.Dead, ReasonExpired)
}

// shadow ends here what a link in shadow mode would have sent.
func shadow(_ context.Context, p *passage) bool {
	if !p.link.Shadow {
		return false
	}
	p.decision.TransactionID = p.call().op.TransactionID
	return p.decide(event.Shadow, "")
}
