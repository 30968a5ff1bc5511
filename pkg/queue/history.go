package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// Record is one line of an event's history: an outcome, an attempt or a note. It holds no
// personal data; whoever fills it in has masked what it says.
type Record struct {
	Time    time.Time     `json:"time"`
	Link    string        `json:"link,omitempty"`
	Outcome event.Outcome `json:"outcome,omitempty"` // empty for a note
	Note    string        `json:"note,omitempty"`    // repeated, replayed, ...: what happened beside the outcomes
	By      string        `json:"by,omitempty"`      // of a note: the person who did it

	event.Trail             // as in the retry or dead letter that goes with it
	Until         time.Time `json:"until,omitzero"` // waiting: not before
	Parked        bool      `json:"parked,omitempty"`
	Probe         bool      `json:"probe,omitempty"`
	DurationMS    float64   `json:"duration_ms,omitempty"`
	TransactionID string    `json:"transaction_id,omitempty"`

	Detail json.RawMessage `json:"detail,omitempty"` // as encoding/json writes it

	// Source and Sequence name the message that this record settled: "events" or "retries", and
	// its place there. Empty for a note.
	Source   string `json:"source,omitempty"`
	Sequence uint64 `json:"sequence,omitempty"`

	stored time.Time // when HISTORY took it, by the server's clock
	place  uint64    // its sequence there
}

// Stored is when HISTORY took a record, by the clock of the server.
func (r Record) Stored() time.Time { return r.stored }

// Place is a record's sequence in HISTORY.
func (r Record) Place() uint64 { return r.place }

// Pinned is what Mindbox may have executed the event as, as far as the record knows. Before records said
// it themselves, only what differed from the file stood in the detail.
func (r Record) Pinned() *event.Pin {
	var detail struct {
		Pinned *event.Pin `json:"pinned"`
	}
	if r.Pin == nil && len(r.Detail) > 0 {
		_ = json.Unmarshal(r.Detail, &detail) // what cannot be read says nothing
	}
	return cmp.Or(r.Pin, detail.Pinned)
}

// The sources of a settled message, see Record.Source.
const (
	FromEvents  = "events"
	FromRetries = "retries"
)

// historyLog is HISTORY: records go in, those of one event come out.
type historyLog struct {
	jet       *jet.Client
	committer *jet.Committer // nil with Limits.NoHistory
	headers   *recordHeaders
	alarms    *alarms
	log       zerolog.Logger
}

// History returns the records of an event, oldest first.
func (q *Queue) History(ctx context.Context, key event.Key) ([]Record, error) {
	return q.history.of(ctx, key.Subject())
}

// of reads the history of the event whose subject ends with key. A batch of which nobody knew
// whether it was stored was written again singly, so the same record twice counts once. What cannot be
// read is left out, as by Records: workers and retention ask, and one record must not hold them up.
func (h historyLog) of(ctx context.Context, key string) ([]Record, error) {
	var out []Record
	seen := map[string]bool{}
	for m, err := range h.jet.Scan(ctx, event.HistoryStream, event.HistorySubjects.Of(key), 1) {
		if err != nil {
			return nil, err
		}
		if seen[string(m.Data)] {
			continue
		}
		seen[string(m.Data)] = true
		if event.CheckFormat(m.Header.Get(event.HeaderFormat)) != nil {
			continue // written by a newer Touchbox
		}
		r := Record{}
		if err := json.Unmarshal(m.Data, &r); err != nil {
			if h.alarms.due("unreadable history") {
				h.log.Error().Str("event", key).Uint64("sequence", m.Sequence).Msg("a record of the history cannot be read and is left out")
			}
			continue
		}
		r.stored, r.place = m.Time, m.Sequence
		out = append(out, r)
	}
	return out, nil
}

// KeyedRecord is a record with the event that it is about.
type KeyedRecord struct {
	Key event.Key
	Record
}

// Records iterates over the whole history, oldest first. What a newer Touchbox wrote, or what
// cannot be read, is left out.
func (q *Queue) Records(ctx context.Context) iter.Seq2[KeyedRecord, error] {
	return q.ScanRecords(ctx, RecordScan{})
}

// RecordScan selects records of the history. Zero fields select everything.
type RecordScan struct {
	From  uint64    // first sequence in HISTORY
	Since time.Time // written not before, by the server's clock; counts where From is 0
	Told  Told      // of how far it is; nil tells nobody

	Gently bool // as in ScanOptions
}

// ScanRecords is Records of a part of the history.
func (q *Queue) ScanRecords(ctx context.Context, o RecordScan) iter.Seq2[KeyedRecord, error] {
	return func(yield func(KeyedRecord, error) bool) {
		for m, err := range q.jet.Flowing(ctx, event.HistoryStream, jet.FlowOptions{From: o.From, Since: o.Since, Gently: o.Gently}) {
			if err != nil {
				yield(KeyedRecord{}, err)
				return
			}
			o.Told.tell(m.Left, m.Total)
			key, err := event.ParseSubject(event.HistorySubjects.Rest(m.Subject))
			r := KeyedRecord{Key: key}
			if err != nil || event.CheckFormat(m.Header.Get(event.HeaderFormat)) != nil || json.Unmarshal(m.Data, &r.Record) != nil {
				continue
			}
			r.stored, r.place = m.Time, m.Sequence
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Note writes a record that settles no message: what a person did, what came again.
func (q *Queue) Note(ctx context.Context, key event.Key, r Record) error {
	return q.WriteRecord(ctx, key.Subject(), r)
}

// WriteRecord writes a record and returns when it is stored.
func (q *Queue) WriteRecord(ctx context.Context, key string, r Record) error {
	return q.history.write(ctx, key, r)
}

func (h historyLog) write(ctx context.Context, key string, r Record) error {
	if h.committer == nil {
		return nil
	}
	m, err := h.recordMessage(key, &r)
	if err != nil {
		return err
	}
	return jet.Describe("record of "+key, h.committer.Add(ctx, m))
}

// writeAll writes what recordMessage has made, and returns when all of it is stored or not: what became of each stands at its
// place.
func (h historyLog) writeAll(ctx context.Context, records []*nats.Msg) []error {
	if h.committer == nil {
		return make([]error, len(records))
	}
	return h.committer.AddAll(ctx, records)
}

// recordMessage is a record as HISTORY keeps it. Its headers are shared: nobody changes them.
func (h historyLog) recordMessage(key string, r *Record) (*nats.Msg, error) {
	if r.Time.IsZero() {
		r.Time = time.Now().UTC()
	}
	data, err := r.json()
	if err != nil {
		return nil, fmt.Errorf("record of %s: %w", key, err)
	}
	return &nats.Msg{Subject: event.HistorySubjects.Of(key), Data: data, Header: h.headers.of(r.Link, r.Outcome)}, nil
}

// json is json.Marshal of the record.
func (r *Record) json() ([]byte, error) {
	const usual = 512
	j := event.NewJSON(usual + len(r.Detail))
	j.Moment("time", r.Time)
	j.Some("link", r.Link)
	j.Some("outcome", string(r.Outcome))
	j.Some("note", r.Note)
	j.Some("by", r.By)
	r.WriteJSON(&j)
	j.Moment("until", r.Until)
	j.Yes("parked", r.Parked)
	j.Yes("probe", r.Probe)
	j.Milliseconds("duration_ms", r.DurationMS)
	j.Some("transaction_id", r.TransactionID)
	j.Raw("detail", r.Detail)
	j.Some("source", r.Source)
	j.Sequence("sequence", r.Sequence)
	return j.End()
}

// recordHeaders are the headers of records, one for each link and outcome. The zero value is ready.
type recordHeaders struct {
	mu   sync.Mutex
	made map[recordKind]nats.Header
}

type recordKind struct {
	link    string
	outcome event.Outcome
}

func (h *recordHeaders) of(link string, outcome event.Outcome) nats.Header {
	h.mu.Lock()
	defer h.mu.Unlock()
	made, ok := h.made[recordKind{link, outcome}]
	if ok {
		return made
	}
	made = nats.Header{event.HeaderFormat: {strconv.Itoa(event.Format)}}
	if link != "" {
		made.Set(event.HeaderLink, link)
	}
	if outcome != "" {
		made.Set(event.HeaderOutcome, string(outcome))
	}
	if h.made == nil {
		h.made = map[recordKind]nats.Header{}
	}
	h.made[recordKind{link, outcome}] = made
	return made
}

// writeFirst writes the record of a message whose event goes on in RETRIES already, unless what became
// of it there, or of the message itself, stands in HISTORY: then it would come after that and be taken
// for the newest. The guard is that nothing was written since the look.
func (h historyLog) writeFirst(ctx context.Context, message *message, r Record) error {
	if h.committer == nil {
		return nil
	}
	newest, err := h.jet.Last(ctx, event.HistoryStream, event.HistorySubjects.Of(message.key))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	records, err := h.of(ctx, message.key)
	if err != nil {
		return err
	}
	for _, old := range records {
		this := old.Source == message.source() && old.Sequence == message.sequence()
		later := old.Source == FromRetries && (!message.retry || old.Sequence > message.sequence())
		if old.Link == r.Link && old.Outcome != "" && (this || later) {
			return nil
		}
	}
	m, err := h.recordMessage(message.key, &r)
	if err != nil {
		return err
	}
	sequence := uint64(0)
	if newest != nil {
		sequence = newest.Sequence
	}
	m.Header = maps.Clone(m.Header)
	jet.Guard(m.Header, sequence)
	_, err = h.jet.Publish(ctx, m)
	return jet.Describe("record of "+message.key, err)
}
