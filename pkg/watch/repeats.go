package watch

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

const (
	// NoteRepeated is the note in the history of an event whose hook came again.
	NoteRepeated = "repeated"
	// maxRepeats is how many such notes one event has at most.
	maxRepeats = 10
	// repeatBacklog bounds the notes that wait to be written. Beyond it they are left out: what
	// they tell of is stored, and no hook may wait for a note.
	repeatBacklog = 256
	// noteEvery is the pause between two notes, each of which asks HISTORY and the log and is written to the disk by itself:
	// a flood of repeats must not take these from the hooks that are stored meanwhile.
	noteEvery = 20 * time.Millisecond
)

// Repeats is the queue as the webhook address sees it: beside storing events it notes, off the way of the
// hooks, what a repeated hook had to say that the stored one had not.
type Repeats struct {
	*queue.Queue
	file func() *link.File
	in   chan event.Event
}

// NewRepeats makes one; file is the newest file.
func NewRepeats(q *queue.Queue, file func() *link.File) *Repeats {
	return &Repeats{Queue: q, file: file, in: make(chan event.Event, repeatBacklog)}
}

// Publish stores an event and takes note of a repeated hook.
func (r *Repeats) Publish(ctx context.Context, e event.Event) (event.Receipt, error) {
	receipt, err := r.Queue.Publish(ctx, e)
	if receipt == event.ReceiptRepeated && err == nil && e.Origin == event.Webhook {
		select {
		case r.in <- e:
		default:
		}
	}
	return receipt, err
}

// Run writes the notes until ctx ends. One that cannot be written is left out.
func (r *Repeats) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-r.in:
			r.noteGuarded(ctx, e)
			_ = wait.Sleep(ctx, noteEvery)
		}
	}
}

// noteGuarded writes a note, or leaves it out: no hook is worth the process for what is told of it.
func (r *Repeats) noteGuarded(ctx context.Context, e event.Event) {
	defer func() { _ = recover() }()
	_ = r.note(ctx, e)
}

// repeatedDetail is what the note holds: names alone, no values.
type repeatedDetail struct {
	Changed []string `json:"changed,omitempty"`
}

func (r *Repeats) note(ctx context.Context, e event.Event) error {
	records, err := r.History(ctx, e.Key)
	if err != nil {
		return err
	}
	written := 0
	for _, one := range records {
		if one.Note == NoteRepeated {
			written++
		}
	}
	if written >= maxRepeats {
		return nil
	}
	stored, err := r.GetEvent(ctx, e.Key)
	if err != nil {
		return err
	}
	detail, err := json.Marshal(repeatedDetail{r.changed(stored, e)})
	if err != nil {
		return err
	}
	return r.Note(ctx, e.Key, queue.Record{Note: NoteRepeated, Detail: detail})
}

// changed lists the fields that two hooks of one event have with other values, but for those that
// say how the hook was sent.
func (r *Repeats) changed(before, after event.Event) []string {
	site := r.file().Site(after.Key.Site)
	if site == nil {
		return nil
	}
	old, err := calltouch.Parse(before, site.View())
	if err != nil {
		return nil
	}
	now, err := calltouch.Parse(after, site.View())
	if err != nil {
		return nil
	}
	all := maps.Clone(old)
	maps.Copy(all, now)
	var names []string
	for name := range all {
		if name != "sendingTimestamp" && name != "changedFields" && !reflect.DeepEqual(old[name], now[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
