package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// checkedFirst is how many messages of a consumer are looked up in HISTORY after a start, a
// reconnect or a resume. After a crash the server gives out again some hundred that were
// acknowledged, most of them marked as first deliveries.
const checkedFirst = 2000

// checkPause is a pause in the deliveries after which the count begins anew: that is how a resumed
// consumer, or one whose leader changed, looks from here. Where so little comes, looking up costs
// nothing.
const checkPause = 5 * time.Second

// checks counts a consumer's messages since the last break.
type checks struct {
	mu   sync.Mutex
	left int
	era  uint64
	last time.Time
}

// due reports whether the message that has just come is among the first after a break.
func (c *checks) due(era uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if era != c.era || now.Sub(c.last) > checkPause {
		c.left, c.era = checkedFirst, era
	}
	c.last = now
	if c.left == 0 {
		return false
	}
	c.left--
	return true
}

// restart begins the count anew.
func (c *checks) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Time{}
}

// found is what HISTORY says about a message in hand.
type found struct {
	done  bool // it was settled before: no sending, only the ack
	trace bool // the event had to do with this link before: a retry or a dead letter may be left
}

// ageMargin is how much younger than a message from RETRIES a final record must be to end it: the
// two times may come from two servers, and a replay follows the death that it answers.
const ageMargin = 2 * time.Second

// lookup is the rule for what comes again. A message is done with when a record says that this
// very message was settled, or when a final outcome of its link is younger than it.
func (q *Queue) lookup(ctx context.Context, link string, m *message) (found, error) {
	if q.history == nil {
		return found{trace: m.again()}, nil
	}
	_, err := q.last(ctx, historyStream, historyPrefix+m.key)
	if errors.Is(err, ErrNotFound) { // as a rule, and it costs one small request
		return found{}, nil
	}
	records, err := q.records(ctx, m.key)
	if err != nil {
		return found{}, err
	}
	return judge(records, link, m), nil
}

func judge(records []Record, link string, m *message) found {
	margin := time.Duration(0)
	if m.retry {
		margin = ageMargin
	}
	var f found
	for _, r := range records {
		if r.Link != link || r.Outcome == "" {
			continue
		}
		f.trace = f.trace || r.Outcome == event.Waiting || r.Outcome == event.Dead
		this := r.Source == m.source() && r.Sequence == m.sequence()
		younger := r.Outcome.Final() && r.stored.After(m.stored().Add(margin))
		f.done = f.done || this || younger
	}
	return f
}
