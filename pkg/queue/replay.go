package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ReplayOptions say how an event is replayed.
type ReplayOptions struct {
	Revision string // short name of a correction, part of the transaction's id; empty: as it was
	As       string // link that handles it instead, where the link was renamed; empty: its own
}

// Replay gives a dead letter back to its link, due at once, and then removes it by its sequence:
// interrupted in between it is both, and the same replay again ends it. Its attempts and its age
// count from now; what is pinned stays pinned. ErrUnderWay: a retry or replay waits already.
// ErrConflict: it was replayed or dropped, or has died again, since it was read.
//
// An event that has not died is replayed as a DeadLetter without a Sequence: of it count Link,
// Event, Pin, Revision, As and Version, and nothing is removed.
func (q *Queue) Replay(ctx context.Context, d DeadLetter, o ReplayOptions) error {
	if d.Sequence == 0 {
		return q.replayEvent(ctx, d, o)
	}
	now, err := q.last(ctx, deadStream, deadPrefix+d.Link+"."+d.key)
	if err != nil {
		return fmt.Errorf("replay %s for link %s: %w", d.Event.Key, d.Link, gone(err))
	}
	if now.Sequence != d.Sequence {
		return fmt.Errorf("replay %s for link %s: the dead letter was %w", d.Event.Key, d.Link, ErrConflict)
	}
	t := o.trail(readTrail(d.header), d.Link)
	if err := q.giveBack(ctx, d.key, d.header, d.body, t); err != nil {
		return fmt.Errorf("replay %s for link %s: %w", d.Event.Key, t.Link, err)
	}
	return q.DropDeadLetter(ctx, d)
}

// replayEvent gives a link an event of the log, whatever became of it before.
func (q *Queue) replayEvent(ctx context.Context, d DeadLetter, o ReplayOptions) error {
	t := o.trail(trail{
		Pin: d.Pin, Revision: d.Revision, As: d.As, Version: d.Version, Sequence: d.Event.Sequence, Stored: d.Event.Stored,
	}, d.Link)
	e := d.Event
	if err := q.giveBack(ctx, e.Key.Subject(), e.Header(), e.Body, t); err != nil {
		return fmt.Errorf("replay %s for link %s: %w", e.Key, t.Link, err)
	}
	return nil
}

// trail turns what was known of an event's way through link into that of its replay.
func (o ReplayOptions) trail(t trail, link string) trail {
	t.Link, t.Replayed = link, true
	t.Attempts, t.First, t.Status, t.Answer, t.Reason = 0, time.Time{}, 0, "", ""
	if o.Revision != "" {
		t.Revision = o.Revision
	}
	if o.As != "" && o.As != link {
		t.Link = o.As
		if t.As == "" {
			t.As = link
		}
	}
	return t
}

// gone turns "there is none" into "there is none any more".
func gone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	return err
}
