package pipeline

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// gates are the two that a link's event must pass.
type gates struct{ endpoint, link *gate }

func (g gates) both() []*gate { return []*gate{g.endpoint, g.link} }

// turn blocks while a gate is parked and no probe is due. It asks for one probe when all parked
// gates are due, else it lets max events through; 0 is as many as there are workers.
func (g gates) turn(ctx context.Context, max func() int) (queue.Turn, error) {
	for {
		endpoint, endpointParked, endpointChange := g.endpoint.look()
		link, linkParked, linkChange := g.link.look()
		if !endpointParked && !linkParked {
			return queue.Turn{Max: max()}, nil
		}
		wait := time.Until(later(endpoint.Next, link.Next))
		if !endpointParked {
			wait = time.Until(link.Next)
		} else if !linkParked {
			wait = time.Until(endpoint.Next)
		}
		if wait <= 0 {
			return queue.Turn{Max: 1, Probe: true}, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-endpointChange:
		case <-linkChange:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return queue.Turn{}, ctx.Err()
		}
	}
}

// enter asks whether an event may be sent now. Where a gate is parked only a probe may, and only
// one at a time.
func (g gates) enter(ctx context.Context, probe bool, lease time.Duration) (pass, bool) {
	p := pass{gates: g}
	for _, gate := range g.both() {
		if _, parked, _ := gate.look(); !parked {
			continue
		}
		if !probe || !gate.claim(ctx, lease) {
			p.giveUp(ctx)
			return pass{}, false
		}
		p.claimed = append(p.claimed, gate)
	}
	return p, true
}

// pass is the permission to send one event, and what it is a probe for.
type pass struct {
	gates
	claimed []*gate
}

// giveUp returns the probes that were claimed and not made.
func (p pass) giveUp(ctx context.Context) {
	for _, gate := range p.claimed {
		gate.giveUp(ctx)
	}
}

// answered tells the gates what came back. It reports whether the answer is no attempt: it is the
// one that has parked a gate, or it parks one now. next is when the following probe is due, where
// this was one.
func (p pass) answered(ctx context.Context, a attempt, action mindbox.Action) (parked bool, next time.Time) {
	for _, gate := range p.both() {
		park, closed, _ := gate.look()
		probe := p.probes(gate)
		switch {
		case closed && meets(park, a, action):
			parked = true
			if probe {
				next = later(next, gate.met(ctx))
			}
		case closed && probe:
			gate.open(ctx)
		}
	}
	if parked {
		return true, next
	}
	return p.shuts(ctx, a, action), next
}

func (p pass) probes(g *gate) bool {
	for _, claimed := range p.claimed {
		if claimed == g {
			return true
		}
	}
	return false
}

// shuts counts the answer and reports whether it parks.
func (p pass) shuts(ctx context.Context, a attempt, action mindbox.Action) bool {
	outage := p.endpoint.count(when(a.verdict.Failure, ParkOutage))
	refusals := false
	// Temporary failures say nothing about the row of refusals: a typo in `operation` is still
	// one when a 500 comes in between.
	if action == mindbox.Refused || action == mindbox.Success {
		refusals = p.link.count(when(action == mindbox.Refused, refusal(a.answer)))
	}
	switch {
	case action == mindbox.ParkEndpoint:
		p.endpoint.shut(ctx, string(a.verdict.Reason), a.answer)
	case action == mindbox.ParkLink:
		p.link.shut(ctx, string(a.verdict.Reason), a.answer)
	case outage:
		p.endpoint.shut(ctx, ParkOutage, a.answer)
	case refusals:
		p.link.shut(ctx, ParkRefusals, a.answer)
	default:
		return false
	}
	return true
}

func when(condition bool, s string) string {
	if condition {
		return s
	}
	return ""
}

// meets reports whether an answer is the one that parked.
func meets(park queue.Park, a attempt, action mindbox.Action) bool {
	switch park.Reason {
	case ParkOutage:
		return a.verdict.Failure
	case ParkRefusals:
		return action == mindbox.Refused && a.answer.Status == park.Status && signature(a.answer.Message) == park.Text
	default:
		return string(a.verdict.Reason) == park.Reason
	}
}

// refusal is what makes refusals equal: status and text.
func refusal(a mindbox.Answer) string { return strconv.Itoa(a.Status) + " " + signature(a.Message) }

// signature is a text without its digits and what hides digits: "call 148071 is unknown" and
// "call 148072 is unknown" are one refusal.
func signature(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || r == '*' {
			return -1
		}
		return r
	}, text)
}

// parkLevel is Error where a person must act; an outage ends by itself.
func parkLevel(reason string) zerolog.Level {
	if reason == ParkOutage {
		return zerolog.WarnLevel
	}
	return zerolog.ErrorLevel
}

// parkAdvice says what has happened and what to do.
func parkAdvice(reason string) string {
	switch reason {
	case string(mindbox.ReasonCredentials), string(mindbox.ReasonForbidden):
		return "parked: Mindbox refuses the key; check the destination's secret, endpoint and authorization. Events wait, and go on by themselves"
	case string(mindbox.ReasonNotFound):
		return "parked: Mindbox does not know the address; check the destination's url. Events wait, and go on by themselves"
	case ParkRefusals:
		return "parked: Mindbox gave the same refusal many times in a row; check the link's operation and body. Events wait, and go on by themselves"
	default:
		return "parked: Mindbox is not working. Events wait, and go on by themselves"
	}
}
