package pipeline

import (
	"slices"
	"sync"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// readings lets the links of a file that read the log in step share the work of reading a body: the first link that has an
// event reads it, for all of them, and the others find its fields. An event is forgotten when all of its links have
// asked, and at most readingsKept are remembered: what a link that is out of step asks later is read again.
type readings struct {
	shared map[source]sharing // what two links or more read

	mu         sync.Mutex
	young, old map[place]*reading // two generations
}

// readingsKept bounds the remembered events, some KB each. Links that drain a backlog drift apart by some hundred. What is
// larger than readingLargest, in bytes, is remembered of nobody, so all that is takes 64 MB at the very most.
const (
	readingsKept   = 1024
	readingLargest = 64 << 10
)

// source is where events come from.
type source struct {
	site string
	kind event.Kind
}

// sharing is how a source is read for all of its links.
type sharing struct {
	view  calltouch.View // reads what any of them uses
	links int
}

// place is that of an event in the log. The time tells a sequence of a restored log from the same one before.
type place struct {
	sequence uint64
	stored   int64
}

// reading is one event, read once.
type reading struct {
	read func() read
	left int // links that have not asked
}

// read is what calltouch.Read returns, with the attributes that the site does not declare. Many links look at the fields, none
// changes them.
type read struct {
	fields     calltouch.Fields
	undeclared []string
	doubts     calltouch.Doubts
	err        error
}

func newReadings(file *link.File) *readings {
	r := &readings{shared: map[source]sharing{}, young: map[place]*reading{}}
	for _, s := range file.Sites {
		for _, kind := range event.Kinds {
			var uses []string
			links := 0
			for _, l := range file.Links {
				if slices.Contains(l.Sites, s.ID) && slices.Contains(l.Kinds, kind) {
					uses = append(uses, l.Reads()...)
					links++
				}
			}
			if links > 1 {
				r.shared[source{s.ID, kind}] = sharing{s.View().Reading(uses), links}
			}
		}
	}
	return r
}

// read reads a delivery's event: as view says where a link has it alone, as a retry or as the only one of its source, and where
// it is too large to be remembered.
func (r *readings) read(d *queue.Delivery, view calltouch.View) read {
	sharing, shared := r.shared[source{d.Event.Key.Site, d.Event.Key.Kind}]
	if d.Retry || !shared || len(d.Event.Body) > readingLargest {
		return readEvent(d.Event, view)
	}
	return r.of(d.Event, sharing).read()
}

// of finds an event's reading or begins it.
func (r *readings) of(e event.Event, s sharing) *reading {
	at := place{e.Sequence, e.Stored.UnixNano()}
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.young[at]
	if one == nil {
		one = r.old[at]
	}
	if one == nil {
		one = &reading{left: s.links, read: sync.OnceValue(func() read { return readEvent(e, s.view) })}
		if len(r.young) >= readingsKept/2 {
			r.old, r.young = r.young, map[place]*reading{}
		}
		r.young[at] = one
	}
	if one.left--; one.left == 0 {
		delete(r.young, at)
		delete(r.old, at)
	}
	return one
}

func readEvent(e event.Event, v calltouch.View) read {
	fields, doubts, err := calltouch.Read(e, v)
	return read{fields, fields.Undeclared(v), doubts, err}
}
