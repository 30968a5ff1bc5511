package admin

import (
	"context"
	"strings"

	"github.com/touchbox/touchbox/pkg/queue"
)

// Scopes of a park: a link's id, a destination's name in the file.
const (
	scopeLink     = "link/"
	scopeEndpoint = "endpoint/"
)

// Halts lists the links of the file over which nothing is sent now, and why.
func (a Admin) Halts(ctx context.Context) ([]Halt, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, err
	}
	parks, err := a.Queue.Parks(ctx)
	if err != nil {
		return nil, err
	}
	var halts []Halt
	for _, k := range links {
		switch park := parkOf(k, parks); {
		case k.file == nil:
			continue
		case k.state.Paused != queue.Running:
			halts = append(halts, Halt{Link: k.id, State: string(k.state.Paused)})
		case park != nil:
			halts = append(halts, Halt{Link: k.id, State: StateParked, Why: park.why()})
		}
	}
	return halts, nil
}

// parked is a park as it concerns a link.
type parked struct{ queue.Park }

// why says it in a few words: the reason, and Mindbox's own.
func (p parked) why() string { return strings.Trim(p.Reason+": "+p.Text, ": ") }

// parkOf finds what parks a link: itself, or its destination.
func parkOf(k known, parks []queue.Park) *parked {
	for _, p := range parks {
		name, isEndpoint := strings.CutPrefix(p.Scope, scopeEndpoint)
		if p.Scope == scopeLink+k.id || isEndpoint && k.file != nil && name == k.file.To.Name {
			return &parked{p}
		}
	}
	return nil
}
