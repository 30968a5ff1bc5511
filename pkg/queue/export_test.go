package queue

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// The points of settle at which the tests let a process die.
const (
	AfterPlace  = eventMoved
	AfterRecord = recordWritten
)

// PublishReplay is the first half of Replay: a process that dies behind it.
func PublishReplay(ctx context.Context, q *Queue, d DeadLetter, o ReplayOptions) error {
	return q.undelivered.giveBack(ctx, d, o.label(event.ReadLabel(d.header), d.Link))
}

// Die takes one event of the link, decides and dies at the point, in the midst of settling it. The event
// goes back to the server at once, as it does after AckWait.
func Die(ctx context.Context, l *Link, retry bool, at point, x Decision) error {
	died := false
	w := &worker{Link: l, c: Consumption{Handle: func(context.Context, *Delivery) Decision { return x }}}
	w.died = func(p point) {
		if died = p == at; died {
			runtime.Goexit()
		}
	}
	stream := event.EventsStream
	if retry {
		stream = event.RetriesStream
	}
	batch, err := l.consumers[stream].Fetch(1, jetstream.FetchMaxWait(10*time.Second))
	if err != nil {
		return err
	}
	msg, ok := <-batch.Messages()
	if !ok {
		return errors.New("nothing came")
	}
	m, err := newMessage(msg, retry)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.alone = true
		w.handle(ctx, &begun{m: m})
	}()
	<-ended
	if !died {
		return errors.New("the event was handled without reaching the point")
	}
	return msg.Nak()
}

// Forget sets a link's consumer of EVENTS back to the beginning, as a crash of the server does
// with the acks that it had not written yet: what comes again is marked as a first delivery.
func Forget(ctx context.Context, q *Queue, link string) error {
	_, err := q.js.ResetConsumerToSequence(ctx, event.EventsStream, ConsumerName(link), 1)
	return err
}

// DeleteStream removes a stream of the given name.
func DeleteStream(ctx context.Context, q *Queue, name string) error {
	return q.js.DeleteStream(ctx, name)
}

// ShortMarkers lets the traces that the server leaves in STATE expire after a second.
func ShortMarkers(ctx context.Context, q *Queue) error {
	s, err := q.js.Stream(ctx, event.StateStream)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	config.SubjectDeleteMarkerTTL = time.Second
	_, err = q.js.UpdateStream(ctx, config)
	return err
}

// PurgeState removes a value as the versions before did: with a trace that expires.
func PurgeState(ctx context.Context, q *Queue, key string) error {
	kv, err := q.js.KeyValue(ctx, event.StateBucket)
	if err != nil {
		return err
	}
	return kv.Purge(ctx, key, jetstream.PurgeTTL(time.Second))
}

// Traced reports whether STATE holds anything under a key, a value or the trace of one.
func Traced(ctx context.Context, q *Queue, key string) bool {
	_, err := q.jet.Last(ctx, event.StateStream, "$KV."+event.StateBucket+"."+key)
	return !errors.Is(err, ErrNotFound)
}

// ParkTTL is how long a park counts that no worker renews.
const ParkTTL = parkTTL

// WatchParks is Queue.WatchParks, with another time between renewals.
func WatchParks(ctx context.Context, q *Queue, every time.Duration) <-chan ParkChange {
	w := &parkWatch{q: q, out: make(chan ParkChange), held: map[string]Entry{}}
	go w.run(ctx, every)
	return w.out
}

// CountAsked counts what the server is asked on a subject from now on.
func CountAsked(ctx context.Context, q *Queue, subject string) (func() int64, error) {
	var n atomic.Int64
	sub, err := q.jet.Conn().Subscribe(subject, func(*nats.Msg) { n.Add(1) })
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = sub.Unsubscribe() })
	return n.Load, q.jet.Conn().Flush()
}

// LoseRetry takes a message out of RETRIES, as a damaged block does.
func LoseRetry(ctx context.Context, q *Queue, sequence uint64) error {
	return q.jet.Remove(ctx, event.RetriesStream, sequence)
}

// PurgeEvents empties the log.
func PurgeEvents(ctx context.Context, q *Queue) error {
	last, err := q.jet.LastSequence(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	return q.jet.Purge(ctx, event.EventsStream, last+1)
}

// AgeMargin is by how much two servers' clocks may differ.
const AgeMargin = ageMargin

// PublishAsBatch stores events in one atomic batch.
func PublishAsBatch(ctx context.Context, q *Queue, events ...event.Event) error {
	var batch []*nats.Msg
	for _, e := range events {
		batch = append(batch, &nats.Msg{Subject: event.LogSubjects.Of(e.Key.Subject()), Header: e.Header(), Data: e.Body})
	}
	return q.jet.PublishBatch(ctx, batch)
}

// RecordJSON is a record as HISTORY keeps it.
func RecordJSON(r Record) ([]byte, error) { return r.json() }

// RecordRaw stores bytes as a record of an event.
func RecordRaw(ctx context.Context, q *Queue, key event.Key, data []byte) error {
	m, err := q.history.recordMessage(key.Subject(), &Record{})
	if err != nil {
		return err
	}
	m.Data = data
	_, err = q.jet.Publish(ctx, m)
	return err
}

// Headers of the newest message on an event's subject.
func Headers(ctx context.Context, q *Queue, key event.Key) (map[string][]string, error) {
	m, err := q.jet.Last(ctx, event.EventsStream, event.LogSubjects.Of(key.Subject()))
	if err != nil {
		return nil, err
	}
	return m.Header, nil
}

// RetryHeaders of the newest message of RETRIES.
func RetryHeaders(ctx context.Context, q *Queue, link string, key event.Key) (map[string][]string, error) {
	m, err := q.jet.Last(ctx, event.RetriesStream, event.AtSubjects.OfLink(link, key.Subject()))
	if err != nil {
		return nil, err
	}
	return m.Header, nil
}

// BreakHistory makes HISTORY refuse every record, or takes them again.
func BreakHistory(ctx context.Context, q *Queue, broken bool) error {
	s, err := q.js.Stream(ctx, event.HistoryStream)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	config.MaxMsgSize = -1
	if broken {
		config.MaxMsgSize = 1
	}
	_, err = q.js.UpdateStream(ctx, config)
	return err
}

// FillHistory makes HISTORY refuse what is new for want of room, or gives it room again.
func FillHistory(ctx context.Context, q *Queue, full bool) error {
	s, err := q.js.Stream(ctx, event.HistoryStream)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	config.Discard, config.MaxBytes = jetstream.DiscardOld, -1
	if full {
		config.Discard, config.MaxBytes = jetstream.DiscardNew, 1
	}
	_, err = q.js.UpdateStream(ctx, config)
	return err
}

// Full leaves room for so many bytes more in DEADLETTERS.
func Full(ctx context.Context, q *Queue, room int64) error {
	s, err := q.js.Stream(ctx, event.DeadLettersStream)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	config.MaxBytes = int64(s.CachedInfo().State.Bytes) + room
	_, err = q.js.UpdateStream(ctx, config)
	return err
}

// Functions that are tested by themselves.
var (
	RoundUp = roundUp
)

// MemorySize is how many keys a memory of the limit holds after n were added.
func MemorySize(limit, n int, key func(int) event.Key) int {
	m := newKeyCache(limit)
	for i := range n {
		m.add(key(i), event.Fingerprint{})
	}
	return len(m.young) + len(m.old)
}

// Remembered is what a memory of keys knows of a key that was added.
func Remembered(k event.Key, f event.Fingerprint) (event.Fingerprint, bool) {
	m := newKeyCache(10)
	m.add(event.Key{Site: k.Site, Kind: k.Kind, ID: k.ID + "1"}, event.Fingerprint{})
	m.add(k, f)
	return m.get(k)
}

// Backlog is a link's count of what waits.
type Backlog struct{ b backlog }

// Add changes it.
func (b *Backlog) Add(n int64) { b.b.add(n) }

// Full asks it.
func (b *Backlog) Full(ctx context.Context, count func(context.Context) (uint64, error)) (bool, error) {
	return b.b.full(ctx, count)
}

// Checks says which of a consumer's messages are looked up.
type Checks struct{ c checks }

// Interrupted tells of a delivery: in an epoch of the connection, at a place of its stream. It is the first one behind an
// interruption, or not.
func (c *Checks) Interrupted(epoch, sequence, delivered uint64) bool {
	return c.c.interrupted(epoch, &jetstream.MsgMetadata{NumDelivered: delivered, Sequence: jetstream.SequencePair{Stream: sequence}}) != uninterrupted
}

// LastRecords is how many links and events the last records of HISTORY are about, as read in an epoch of the connection and not
// before a moment.
func LastRecords(ctx context.Context, q *Queue, epoch uint64, after time.Time) (int, error) {
	r, err := q.recents.since(ctx, q, epoch, after)
	return len(r), err
}

// Expect tells of an interruption of a consumer that has so many messages to give.
func (c *Checks) Expect(pending uint64) { c.c.expect(resumed, pending) }

// Reads reports whether the last records are to be read before the next first delivery, and if so reads that they are about
// these events.
func (c *Checks) Reads(about ...string) bool {
	if c.c.unread() == uninterrupted {
		return false
	}
	r := recent{}
	for _, key := range about {
		r[pair{"a", key}.hash()] = struct{}{}
	}
	c.c.know(r)
	return true
}

// Due tells of a first delivery of an event: it is looked up, or not.
func (c *Checks) Due(key string) bool { return c.c.due(pair{"a", key}) }

// Holds reports whether the last records are held.
func (c *Checks) Holds() bool { return c.c.recent != nil }

// Wait is what a pause in the deliveries looks like, and Restart what follows an error.
func (c *Checks) Wait()    { c.c.last = c.c.last.Add(-2 * checkPause) }
func (c *Checks) Restart() { c.c.restart() }

// Suspect asks whether a message is looked up.
func Suspect(first bool, delivered uint64) bool {
	m := &message{check: first, meta: &jetstream.MsgMetadata{NumDelivered: delivered}}
	return m.suspect()
}

// AckWaits are how long the server waits for a word about what a link's consumers have given out.
func AckWaits(ctx context.Context, q *Queue, link string) (waits [2]time.Duration, err error) {
	for i, stream := range []string{event.EventsStream, event.RetriesStream} {
		c, err := q.js.Consumer(ctx, stream, ConsumerName(link))
		if err != nil {
			return waits, err
		}
		waits[i] = c.CachedInfo().Config.AckWait
	}
	return waits, nil
}

// Room bounds what is in hand.
type Room struct{ r *room }

// Share is a source's part of it.
type Share struct {
	s    *share
	last request
}

// NewRoom has room for so many messages and bytes.
func NewRoom(messages int, bytes int64) Room { return Room{newRoom(messages, bytes)} }

// SetRoom gives a queue, of which no link is consumed yet, another room.
func SetRoom(q *Queue, messages int, bytes int64) { q.room = newRoom(messages, bytes) }

// Join gives a source its part.
func (r Room) Join(most int) *Share { return &Share{s: r.r.join(most)} }

// Take takes room for up to n messages.
func (s *Share) Take(n int) int { s.last = s.s.ask(n); return s.last.n }

// Give returns room.
func (s *Share) Give(n int, bytes int64) { s.s.give(n, bytes) }

// Arrived counts the bytes of a message.
func (s *Share) Arrived(bytes int64) { s.s.arrived(bytes) }

// Fetched ends a request.
func (s *Share) Fetched(full bool) {
	end := drained
	if full {
		end = filled
	}
	s.s.fetched(s.last, end)
}

// MetLarge ends a request that brought nothing, because of a message that did not fit into it.
func (s *Share) MetLarge() { s.s.fetched(s.last, metLarge) }

// Backlog says that the source has one.
func (s *Share) Backlog() { s.Fetched(true) }

// Wait waits for room.
func (s *Share) Wait(ctx context.Context) error { return s.s.wait(ctx) }

// Adopt lets a link take up a state of it that has a start and a revision, and returns its start then.
func Adopt(l *Link, start time.Time, revision uint64) time.Time {
	state := *l.now.Load()
	state.Start, state.revision = start, revision
	l.adopt(state)
	return l.now.Load().Start
}

// Revision is that of the state that a link runs by.
func Revision(l *Link) uint64 { return l.now.Load().revision }

// MaxPayload is how large a message the server takes, headers included.
func MaxPayload(q *Queue) int { return int(q.jet.Conn().MaxPayload()) }

// MostWaiting sets with how many retries a link takes no fresh events.
func MostWaiting(l *Link, n int64) { l.load.most = n }

// Knows reports whether a key is remembered as stored.
func Knows(q *Queue, key event.Key) bool { _, ok := q.publisher.keys.get(key); return ok }

// AsReplicated lets a queue of one server behave as one of three.
func AsReplicated(q *Queue) { q.opts.Replicas = 3 }

// Cut reports whether a request for n messages that ended after so long is taken for one that met a message too large for it.
func Cut(n, used int, after time.Duration) bool {
	return request{n: n, bytes: leastRequest}.cut(used, after)
}

// PullWait is how long a request stays open.
const PullWait = pullWait

// EnsureAsOf pauses or resumes the consumers of a link as STATE said before, and does what opening a link does after that.
func EnsureAsOf(ctx context.Context, q *Queue, id string, before Pause) error {
	until := time.Time{}
	if before != Running {
		until = pausedUntil
	}
	if err := q.registry.pause(ctx, id, until); err != nil {
		return err
	}
	_, err := q.registry.settlePause(ctx, id, before)
	return err
}

// MuteState lets no answer come to what is read of the links in STATE, as by way of a server that has lost the others.
func MuteState(q *Queue) error {
	const nowhere = "nowhere"
	q.registry.state = q.jet.Bucket(jet.BucketOptions{Name: nowhere})
	_, err := q.Client().Conn().Subscribe("$JS.API.DIRECT.GET.KV_"+nowhere+".>", func(*nats.Msg) {})
	return err
}

// RipeAt is until when an event is too young for a delay, if it is.
var RipeAt = ripeAt
