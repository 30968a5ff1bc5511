package breaker

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Pair is the two circuit breakers that an event of a link has to pass. Lease is how long a probe over
// them belongs to the worker that took it.
type Pair struct {
	Endpoint, Link *Breaker
	Lease          time.Duration
}

func (p Pair) both() [2]*Breaker { return [2]*Breaker{p.Endpoint, p.Link} }

// Turn says how many events may be in hand: as many as most says while both are closed. While one is parked
// it blocks until a probe of all that are parked is due and no other link of this process makes it; then it
// asks for that one event.
func (p Pair) Turn(ctx context.Context, most func() int) (queue.Turn, error) {
	for {
		_, _, endpointChange := p.Endpoint.state()
		_, _, linkChange := p.Link.state()
		parked, due := p.parked()
		if len(parked) == 0 {
			return queue.Turn{Max: most()}, nil
		}
		if time.Until(due) <= 0 {
			release, until, ok := p.reserve(parked)
			if _, due = p.parked(); ok && time.Until(due) <= 0 {
				return queue.Turn{Max: 1, Probe: true, Done: release}, nil
			}
			if ok { // meanwhile another link has probed
				release()
				continue
			}
			due = until
		}
		timer := time.NewTimer(time.Until(due))
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

// parked returns the breakers of the pair that are open, and when the next probe of all of them is due.
func (p Pair) parked() (parked []*Breaker, due time.Time) {
	for _, b := range p.both() {
		if b.isParked() {
			parked = append(parked, b)
			due = later(due, b.due(p.Lease))
		}
	}
	return parked, due
}

// reserve takes the probe of all these breakers within this process, or says until when another link
// has one of them.
func (p Pair) reserve(parked []*Breaker) (release func(), until time.Time, ok bool) {
	var taken []func()
	all := func() {
		for _, release := range taken {
			release()
		}
	}
	for _, b := range parked {
		one, until, ok := b.reserve(p.Lease)
		if !ok {
			all()
			return nil, until, false
		}
		taken = append(taken, one)
	}
	return all, time.Time{}, true
}

// Enter asks whether an event may be sent now. Where one is parked only a probe may, and only one at a
// time. Whoever gets the Pass says on it what came of it.
func (p Pair) Enter(ctx context.Context, probe bool) (Pass, bool) {
	pass := Pass{pair: p}
	for _, b := range p.both() {
		if !b.isParked() {
			continue
		}
		if !probe || !b.claimProbe(ctx, p.Lease) {
			pass.GiveBack(ctx)
			return Pass{}, false
		}
		pass.claimed = append(pass.claimed, b)
	}
	return pass, true
}

// Pass is the permission to send one event, and what it is a probe for.
type Pass struct {
	pair    Pair
	claimed []*Breaker
}

// GiveBack returns the probes that were claimed and not made.
func (p Pass) GiveBack(ctx context.Context) {
	for _, b := range p.claimed {
		b.returnProbe(ctx)
	}
}

// Answered tells the breakers what came back. It reports whether the answer is no attempt: it is the one
// that has parked, or it parks now. next is when the following probe is due, where this was one.
func (p Pass) Answered(ctx context.Context, a mindbox.Answer, v mindbox.Verdict) (parked bool, next time.Time) {
	for _, b := range p.pair.both() {
		park, open, _ := b.state()
		probe := slices.Contains(p.claimed, b)
		switch {
		case open && sameAnswer(park, a, v):
			parked = true
			if probe {
				next = later(next, b.probeFailed(ctx))
			}
		case open && probe:
			b.Unpark(ctx)
		}
	}
	if parked {
		return true, next
	}
	return p.pair.countAndPark(ctx, a, v), next
}

// countAndPark counts the answer in the rows of both, parks where it says so or where a row is long
// enough, and reports whether it did.
func (p Pair) countAndPark(ctx context.Context, a mindbox.Answer, v mindbox.Verdict) bool {
	outage, refusals := false, false
	if v.Failure {
		outage = p.Endpoint.count(ReasonOutage)
	} else {
		p.Endpoint.endRow()
	}
	// Temporary failures say nothing about the row of refusals: a typo in `operation` is still
	// one when a 500 comes in between.
	switch v.Action {
	case mindbox.Refused:
		refusals = p.Link.count(refusal(a))
	case mindbox.Success:
		p.Link.endRow()
	}
	switch {
	case v.Action == mindbox.ParkEndpoint:
		p.Endpoint.Park(ctx, string(v.Reason), a)
	case v.Action == mindbox.ParkLink:
		p.Link.Park(ctx, string(v.Reason), a)
	case outage:
		p.Endpoint.Park(ctx, ReasonOutage, a)
	case refusals:
		p.Link.Park(ctx, ReasonRefusals, a)
	default:
		return false
	}
	return true
}

// sameAnswer reports whether an answer is the one that parked.
func sameAnswer(park queue.Park, a mindbox.Answer, v mindbox.Verdict) bool {
	switch park.Reason {
	case ReasonOutage:
		return v.Failure
	case ReasonRefusals:
		return v.Action == mindbox.Refused && a.Status == park.Status && signature(a.Message) == park.Text
	default:
		return string(v.Reason) == park.Reason
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
func parkLevel(park queue.Park) zerolog.Level {
	if park.Reason == ReasonOutage && !foreign(park) {
		return zerolog.WarnLevel
	}
	return zerolog.ErrorLevel
}

// parkAdvice says what has happened and what to do.
func parkAdvice(park queue.Park) string {
	switch park.Reason {
	case string(mindbox.ReasonCredentials), string(mindbox.ReasonForbidden):
		return "parked: Mindbox refuses the key; check the destination's secret, endpoint and authorization. Events wait, and go on by themselves"
	case string(mindbox.ReasonNotFound):
		return "parked: Mindbox does not know the address; check the destination's url. Events wait, and go on by themselves"
	case ReasonRefusals:
		return "parked: Mindbox gave the same refusal many times in a row; " +
			"check the link's operation and body. Events wait, and go on by themselves"
	}
	if foreign(park) {
		return "parked: something answers in Mindbox's place, such as a proxy, a guard against bots or a network's login page; " +
			"check the destination's url and this machine's way out. Events wait, and go on by themselves"
	}
	return "parked: Mindbox is not working. Events wait, and go on by themselves"
}

// foreign reports whether an outage was opened by answers that Mindbox does not give.
func foreign(park queue.Park) bool {
	return park.Reason == ReasonOutage && mindbox.FailureOfOthers(park.Status)
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
