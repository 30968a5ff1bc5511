package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// AttentionKind is why something needs a person. The list is closed; what is said of each stands where it is shown.
type AttentionKind string

// All kinds but those that the alerts know besides.
const (
	AttentionDead      AttentionKind = "dead_letters" // events of a link were given up
	AttentionParked    AttentionKind = "parked"       // Mindbox's answers hold a link up
	AttentionStopped   AttentionKind = "stopped"      // a person has stopped a link, and events wait
	AttentionUnwell    AttentionKind = "queue"        // the processes find the queue unwell
	AttentionGone      AttentionKind = "gone"         // a link left the file and keeps its place
	AttentionDiffers   AttentionKind = "differs"      // the file says other events than a link runs on
	AttentionDisk      AttentionKind = "disk"         // a stream is nearly full
	AttentionAbandoned AttentionKind = "abandoned"    // events were lost
	AttentionSilence   AttentionKind = "silence"      // a site is silent for longer than is usual
	AttentionAside     AttentionKind = "aside"        // much of what comes is set aside
	AttentionLost      AttentionKind = "lost_retries" // events wait that nothing holds any more
	AttentionUnread    AttentionKind = "unread"       // days that Calltouch's API does not list
	AttentionConfig    AttentionKind = "config"       // the file on disk is refused
)

// AttentionKinds are all of them, the worst first.
var AttentionKinds = []AttentionKind{
	AttentionConfig, AttentionUnwell, AttentionAbandoned, AttentionLost, AttentionDisk, AttentionDead, AttentionSilence, AttentionAside,
	AttentionUnread, AttentionParked, AttentionStopped, AttentionGone, AttentionDiffers,
}

// Attention is one thing that needs a person.
type Attention struct {
	Kind    AttentionKind
	Subject string // the link, the site, the stream
	Since   time.Time
	Seen    bool   // it was seen since then, and may be older
	N       int    // of events, or percent of a stream
	Why     string // what is known of it: Mindbox's words, a person's reason; masked
	Cause   string // of dead letters: the id of the cause
	By      string // who stopped it
}

// nearlyFull is the share of its bound above which a stream needs a person, as the alerts have it.
const nearlyFull = 0.8

// attention is all that needs a person, the worst first: what the standing says itself, the causes of dead letters, and
// what the alerts know.
func (s Standing) attention(causes []Cause, alerts []Attention) []Attention {
	list := slices.Clone(alerts)
	for _, c := range causes {
		list = append(list, Attention{Kind: AttentionDead, Subject: c.Link, Since: c.First, N: c.Count, Why: c.Reason, Cause: c.ID})
	}
	for _, l := range s.Links {
		list = append(list, l.attention()...)
	}
	for _, size := range s.Sizes {
		if size.Share() >= nearlyFull {
			list = append(list, Attention{Kind: AttentionDisk, Subject: size.Stream, N: int(size.Share() * 100)})
		}
	}
	slices.SortStableFunc(list, func(x, y Attention) int {
		return cmp.Or(cmp.Compare(slices.Index(AttentionKinds, x.Kind), slices.Index(AttentionKinds, y.Kind)), cmp.Compare(y.N, x.N))
	})
	return list
}

// sightings remember when this process saw first what has no time of its own.
type sightings struct {
	mu    sync.Mutex
	first map[string]time.Time
}

// dated gives each of a list the time since which it is so: its own, or else when it was seen first.
func (x *sightings) dated(list []Attention, now time.Time) []Attention {
	x.mu.Lock()
	defer x.mu.Unlock()
	still := map[string]time.Time{}
	for i, one := range list {
		if !one.Since.IsZero() {
			continue
		}
		name := string(one.Kind) + "/" + one.Subject
		at, known := x.first[name]
		if !known {
			at = now
		}
		still[name], list[i].Since, list[i].Seen = at, at, true
	}
	x.first = still
	return list
}

// attention is what of a link needs a person.
func (l LinkStatus) attention() (list []Attention) {
	one := Attention{Subject: l.ID, Why: Mask{}.Text(l.Why), By: l.By}
	since := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return *t
	}
	switch l.State {
	case StateUnwell:
		one.Kind = AttentionUnwell
	case StateParked:
		one.Kind, one.Since = AttentionParked, since(l.Since)
	case StateStopped:
		one.Kind, one.Since, one.N = AttentionStopped, since(l.At), int(l.Unread)+int(l.Retries)
	case StateGone:
		one.Kind, one.Since = AttentionGone, since(l.Oldest)
	}
	if one.Kind != "" {
		list = append(list, one)
	}
	if l.Differs {
		list = append(list, Attention{Kind: AttentionDiffers, Subject: l.ID})
	}
	if l.Outcomes != nil && l.Outcomes.Abandoned > 0 {
		list = append(list, Attention{Kind: AttentionAbandoned, Subject: l.ID, N: l.Outcomes.Abandoned})
	}
	return list
}

// alerted are the kinds that the alerts alone know: a worker learns them.
var alerted = []AttentionKind{AttentionSilence, AttentionAside, AttentionLost, AttentionUnread}

// alerts are the alerts of these kinds that are raised, as STATE keeps them where alerts are sent at all.
func (a Admin) alerts(ctx context.Context) ([]Attention, error) {
	entries, err := a.Queue.State().List(ctx, string(event.AlertKeys))
	if err != nil {
		return nil, err
	}
	var list []Attention
	for _, e := range entries {
		var raised struct {
			Cause, Subject, Stage string
			Since                 time.Time
		}
		if json.Unmarshal(e.Value, &raised) != nil || raised.Stage != "begun" && raised.Stage != "told" {
			continue
		}
		if kind := AttentionKind(raised.Cause); slices.Contains(alerted, kind) {
			list = append(list, Attention{Kind: kind, Subject: raised.Subject, Since: raised.Since})
		}
	}
	return list, nil
}
