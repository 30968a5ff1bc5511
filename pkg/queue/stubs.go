package queue

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

type (
	memory    struct{}
	committer struct{}
	wedge     struct{}
)

// Open connects, waiting for the server until ctx ends.
func Open(ctx context.Context, o Options) (*Queue, error) { return nil, errTodo }

// Provision creates the streams and the bucket, or verifies and updates them.
func (q *Queue) Provision(ctx context.Context) error { return errTodo }

// EventSubject is the subject of a link's events: of one site and kind, all ids.
func EventSubject(site string, kind event.Kind) string {
	return "touchbox.event." + site + "." + string(kind) + ".*"
}

// Publish stores an event unless its key is known.
func (q *Queue) Publish(ctx context.Context, e event.Event) (event.Receipt, error) {
	return "", errTodo
}

// GetEvent reads an event by its key.
func (q *Queue) GetEvent(ctx context.Context, key event.Key) (event.Event, error) {
	return event.Event{}, errTodo
}

// Aside is something that Calltouch sent and that is no event, or not one of ours.
type Aside struct {
	Site        string // as in the address; empty: unknown
	Reason      string // one snake_case word
	Origin      event.Origin
	Key         string // of the event that it would have been, where there is one
	ContentType string
	Query       string
	Body        []byte
	Received    time.Time
	Sequence    uint64 // place in ASIDE; set when read
}

// PutAside stores it.
func (q *Queue) PutAside(ctx context.Context, a Aside) error { return errTodo }

// Asides iterates over what was set aside, oldest first. Empty site or reason: all.
func (q *Queue) Asides(ctx context.Context, site, reason string) iter.Seq2[Aside, error] {
	return nil
}

// ScanOptions select events of the log. Zero fields select everything.
type ScanOptions struct {
	Subjects []string // as of EventSubject
	From     uint64   // first sequence
	Since    time.Time
	Follow   bool // wait for new ones until ctx ends
}

// Events iterates over the log in its order.
func (q *Queue) Events(ctx context.Context, o ScanOptions) iter.Seq2[event.Event, error] {
	return nil
}

// LinkState is what STATE and the server know of a link.
type LinkState struct {
	ID       string    `json:"id"`
	Start    time.Time `json:"start"`
	Subjects []string  `json:"subjects"`
	Paused   Pause     `json:"paused,omitempty"`
}

// Pause says why a link is paused.
type Pause string

// The reasons. A link that is gone goes on when it is back in the file, a stopped one does not.
const (
	Running Pause = ""
	Stopped Pause = "stopped" // a person stopped it
	Gone    Pause = "gone"    // it left the file
)

// Link is an open link.
type Link struct {
	Differs string // not empty: the file says otherwise than STATE, in words for the operator
	State   LinkState
}

// Register writes the link's start and subjects to STATE unless they stand there.
func (q *Queue) Register(ctx context.Context, s LinkSpec) (LinkState, error) {
	return LinkState{}, errTodo
}

// OpenLink registers the link and creates its consumers.
func (q *Queue) OpenLink(ctx context.Context, s LinkSpec) (*Link, error) { return nil, errTodo }

// PauseLink pauses both consumers of a link.
func (q *Queue) PauseLink(ctx context.Context, id string, why Pause) error { return errTodo }

// ResumeLink lets both go on.
func (q *Queue) ResumeLink(ctx context.Context, id string) error { return errTodo }

// Links lists every link that STATE knows, by id.
func (q *Queue) Links(ctx context.Context) ([]LinkState, error) { return nil, errTodo }

// Consume handles the link's events until ctx ends.
func (l *Link) Consume(ctx context.Context, c Consumption) error { return errTodo }

// History returns the records of an event, oldest first.
func (q *Queue) History(ctx context.Context, key event.Key) ([]Record, error) { return nil, errTodo }

// Note writes a record that settles no message.
func (q *Queue) Note(ctx context.Context, key event.Key, r Record) error { return errTodo }

// Retry is an event that waits in RETRIES.
type Retry struct {
	Delivery
	Until    time.Time
	Due      bool // its time has come, it waits for a worker
	Status   int
	Sequence uint64 // place in RETRIES
}

// Retries iterates over what waits.
func (q *Queue) Retries(ctx context.Context, f Filter) iter.Seq2[Retry, error] { return nil }

// LinkStats are a link's numbers.
type LinkStats struct {
	Unread      uint64    // events in the log that it has not taken
	InHand      int       // taken and not settled
	Waiting     uint64    // in RETRIES, due or not
	DeadLetters uint64    // in DEADLETTERS
	Oldest      time.Time // when the oldest event that is not settled was stored; zero: none
	Paused      bool
}

// LinkStats reads the numbers of a link. ErrNotFound: it has no consumers yet.
func (q *Queue) LinkStats(ctx context.Context, id string) (LinkStats, error) {
	return LinkStats{}, errTodo
}

// State is the bucket of small JSON values.
type State struct{ q *Queue }

// State returns the bucket.
func (q *Queue) State() State { return State{q} }

// Get reads a value into v and returns its revision. ErrNotFound.
func (s State) Get(ctx context.Context, key string, v any) (uint64, error) { return 0, errTodo }

// Put writes a value whatever is there.
func (s State) Put(ctx context.Context, key string, v any) (uint64, error) { return 0, errTodo }

// PutTTL writes a value that vanishes by itself after ttl, in whole seconds.
func (s State) PutTTL(ctx context.Context, key string, v any, ttl time.Duration) (uint64, error) {
	return 0, errTodo
}

// Create writes a value where there is none, else ErrConflict.
func (s State) Create(ctx context.Context, key string, v any) (uint64, error) { return 0, errTodo }

// Update writes a value over the revision, else ErrConflict.
func (s State) Update(ctx context.Context, key string, v any, revision uint64) (uint64, error) {
	return 0, errTodo
}

// Delete removes a value; a missing one is no error.
func (s State) Delete(ctx context.Context, key string) error { return errTodo }

// Keys lists the keys under a prefix ("park.").
func (s State) Keys(ctx context.Context, prefix string) ([]string, error) { return nil, errTodo }

// Entry is a value of STATE as Watch brings it.
type Entry struct {
	Key      string
	Value    json.RawMessage // nil when Deleted
	Revision uint64
	Deleted  bool
}

// Watch brings every value under a prefix, then each change, until ctx ends and the channel closes.
func (s State) Watch(ctx context.Context, prefix string) <-chan Entry { return nil }

// Lease is held until Release, or until it is lost.
type Lease struct{ ctx context.Context }

// Context ends when the lease is lost or released.
func (l *Lease) Context() context.Context { return l.ctx }

// Release gives it back at once.
func (l *Lease) Release() {}

// Lease takes the lease called name, or returns ErrHeld. It is renewed until ctx ends.
func (q *Queue) Lease(ctx context.Context, name string, ttl time.Duration) (*Lease, error) {
	return nil, errTodo
}

// Park is why nothing is sent over a link or to an endpoint.
type Park struct {
	Scope    string        `json:"scope"` // link/<id> or endpoint/<name>
	Since    time.Time     `json:"since"`
	Reason   string        `json:"reason"`
	Status   int           `json:"status,omitempty"`
	Text     string        `json:"text,omitempty"`
	Next     time.Time     `json:"next"` // of the next probe
	Step     time.Duration `json:"step"` // between probes
	Revision uint64        `json:"-"`    // 0: not stored yet
}

// Parks lists what is parked.
func (q *Queue) Parks(ctx context.Context) ([]Park, error) { return nil, errTodo }

// PutPark writes a park over its Revision (0: there is none yet) and returns it with the new one.
// ErrConflict: another worker was faster, which is how one of them gets the next probe.
func (q *Queue) PutPark(ctx context.Context, p Park) (Park, error) { return p, errTodo }

// Unpark removes a park; a missing one is no error.
func (q *Queue) Unpark(ctx context.Context, scope string) error { return errTodo }

// ParkChange is a park that was set or moved, or, with Gone, removed.
type ParkChange struct {
	Park
	Gone bool
}

// WatchParks brings every park, then each change, until ctx ends and the channel closes.
func (q *Queue) WatchParks(ctx context.Context) <-chan ParkChange { return nil }
