package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// outcomeIndex is an index over the log and HISTORY: of each stored event the newest recorded outcome for
// each link, and each site's way by which it came, one byte each, by the place in EVENTS. A worker keeps it in
// STATE (see KeepCounts); whoever asks reads it from there, and reads on to the end of both streams himself. So
// what is not kept yet, all of it where nobody keeps it, is read anew, and the answer is the same.
//
// Reading a record again sets the same byte again, so a part may be stored before it is said how far it was
// read, and a crash in between costs a repeat.
type outcomeIndex struct {
	a      Admin
	links  []linkInfo
	mark   indexMark
	blocks map[uint64]*indexBlock
	kept   bool // in STATE; else all of it is in memory
	writes bool // this process keeps it

	markRevision uint64
	revisions    map[uint64]uint64    // of the blocks in STATE
	places       map[event.Key]uint64 // of events that wait: their next records name RETRIES
	settled      map[waitKey]bool     // whether HISTORY said of a message that RETRIES holds that it was settled
	step         func(context.Context) error

	hours   map[int64]hourCounts // that are over, by their start; of an index that is not written
	partial time.Time            // an hour of which HISTORY has the end alone

	// mu is held while what is in memory changes: the Board of a process is looked at meanwhile.
	mu      sync.RWMutex
	bodies  bool               // the log is read with them
	came    func(event.Event)  // is told of each event
	changed func(place uint64) // is told of each outcome
}

// indexMark is how far an index has read, and for which links.
type indexMark struct {
	Links   string               `json:"links"` // hash of what the links read: another one begins anew
	Events  placed               `json:"events"`
	History placed               `json:"history"`
	Oldest  uint64               `json:"oldest"`         // block that may still be there
	Success map[string]time.Time `json:"success"`        // of each link's newest delivery
	Hour    hourCounts           `json:"hour"`           // the newest one, which may go on
	Hours   time.Time            `json:"hours,omitzero"` // each hour is counted from this one on
}

// placed is a message up to which a stream was read. Its time tells whether it is still the same stream.
type placed struct {
	Sequence uint64    `json:"sequence"`
	Time     time.Time `json:"time,omitzero"`
}

// placesMost bounds what is remembered of events that wait.
const placesMost = 50_000

// readIndex reads what is kept of the index for these links and all that came since.
func (a Admin) readIndex(ctx context.Context, links []linkInfo) (*outcomeIndex, error) {
	x, err := a.keptIndex(ctx, links)
	if errors.Is(err, errCounts) {
		x = newIndex(a, links)
		err = x.catchUp(ctx)
	}
	return x, err
}

// errCounts reports a part of the kept index that cannot be read.
var errCounts = errors.New("the counts kept in STATE cannot be read")

func (a Admin) keptIndex(ctx context.Context, links []linkInfo) (*outcomeIndex, error) {
	x := newIndex(a, links)
	if !slices.ContainsFunc(links, func(k linkInfo) bool { return !k.stored }) { // else its start is not fixed yet
		if err := x.load(ctx); err != nil {
			return nil, err
		}
	}
	if err := x.catchUp(ctx); err != nil {
		return nil, err
	}
	return x, x.readBlocks(ctx)
}

// readBlocks brings the blocks of all that the log holds into memory.
func (x *outcomeIndex) readBlocks(ctx context.Context) error {
	log, err := x.a.Queue.Extent(ctx, event.EventsStream)
	for n := log.First / blockSize; err == nil && n <= x.mark.Events.Sequence/blockSize; n++ {
		_, err = x.block(ctx, n)
	}
	return err
}

func newIndex(a Admin, links []linkInfo) *outcomeIndex {
	return &outcomeIndex{a: a, links: links, blocks: map[uint64]*indexBlock{}, places: map[event.Key]uint64{}, revisions: map[uint64]uint64{}, hours: map[int64]hourCounts{}, mark: indexMark{Success: map[string]time.Time{}}}
}

// catchUp reads on to the end of both streams. The end of HISTORY is taken first: what is recorded by then is
// in the log by then.
func (x *outcomeIndex) catchUp(ctx context.Context) error {
	history, err := x.a.Queue.Extent(ctx, event.HistoryStream)
	if err != nil {
		return err
	}
	if history.Last == 0 {
		x.beginHours(x.a.now(), 1) // nothing was ever recorded
	}
	log, err := x.a.Queue.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	if err := x.readLog(ctx, log.Last); err != nil {
		return err
	}
	return x.readHistory(ctx, history)
}

func (x *outcomeIndex) readLog(ctx context.Context, end uint64) error {
	if x.mark.Events.Sequence >= end {
		return nil
	}
	o := queue.ScanOptions{From: x.mark.Events.Sequence + 1, Erased: true, HeadersOnly: !x.bodies, Gently: x.step != nil, Told: x.a.scanning(event.EventsStream)}
	at := placed{}
	for e, err := range x.a.scanLog(ctx, o) {
		if err != nil {
			return err
		}
		if e.Sequence > end {
			break
		}
		if err := x.addEvent(ctx, e); err != nil {
			return err
		}
		at = placed{e.Sequence, e.Stored}
		if err := x.pause(ctx, func() { x.mark.Events = at }); err != nil {
			return err
		}
	}
	x.mark.Events = endOf(at, end)
	return nil
}

func (x *outcomeIndex) readHistory(ctx context.Context, held queue.Extent) error {
	end := held.Last
	if x.mark.History.Sequence >= end {
		return nil
	}
	at, fresh := placed{}, x.mark.History.Sequence == 0
	for r, err := range x.a.Queue.ScanRecords(ctx, queue.RecordScan{From: x.mark.History.Sequence + 1, Gently: x.step != nil, Told: x.a.scanning(event.HistoryStream)}) {
		if err != nil {
			return err
		}
		if r.Place() > end {
			break
		}
		if fresh {
			x.beginHours(r.Stored(), held.First)
			fresh = false
		}
		if err := x.addRecord(ctx, r); err != nil {
			return err
		}
		at = placed{r.Place(), r.Stored()}
		if err := x.pause(ctx, func() { x.mark.History = at }); err != nil {
			return err
		}
	}
	x.mark.History = endOf(at, end)
	return nil
}

// endOf is the place of the end up to which a stream was read, where the last message that could be read is at.
func endOf(at placed, end uint64) placed {
	if at.Sequence == end {
		return at
	}
	return placed{Sequence: end}
}

// pause lets whoever keeps the index hold its pace and store it.
func (x *outcomeIndex) pause(ctx context.Context, mark func()) error {
	if x.step == nil {
		return nil
	}
	mark()
	return x.step(ctx)
}

// addEvent takes note of an event, of which an earlier reading may know the outcome already.
func (x *outcomeIndex) addEvent(ctx context.Context, e event.Event) error {
	block, err := x.block(ctx, e.Sequence/blockSize)
	if err != nil {
		return err
	}
	for _, k := range x.links {
		if k.reads(e.Key) && block.at(k.id, e.Sequence) == 0 {
			x.set(block, k.id, e.Sequence, unrecorded|codeOf(k.unrecorded(e)))
		}
	}
	if e.Received.IsZero() { // it is erased
		return nil
	}
	code := slices.Index(origins, e.Origin)
	if code <= 0 {
		code = unknownOrigin
	}
	x.set(block, siteRow(e.Key.Site), e.Sequence, byte(code))
	if x.came != nil {
		x.came(e)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	last := block.last[e.Key.Site]
	if last == nil {
		last = map[event.Origin]time.Time{}
		block.last[e.Key.Site] = last
	}
	if e.Received.After(last[e.Origin]) {
		last[e.Origin] = e.Received
	}
	return nil
}

// set writes down the byte of a place.
func (x *outcomeIndex) set(block *indexBlock, row string, place uint64, code byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	block.row(row)[place%blockSize] = code
	block.dirty, block.sums = true, nil
}

// addRecord takes note of an outcome, the newest so far.
func (x *outcomeIndex) addRecord(ctx context.Context, r queue.KeyedRecord) error {
	i := slices.IndexFunc(x.links, func(k linkInfo) bool { return k.id == r.Link })
	code := codeOf(r.Outcome)
	if err := x.countHour(ctx, r.Record); err != nil {
		return err
	}
	if i < 0 || code == 0 {
		return nil // a note, a link that is gone, or a word of a newer Touchbox
	}
	if r.Outcome == event.Delivered && r.Time.After(x.mark.Success[r.Link]) {
		x.mark.Success[r.Link] = r.Time
	}
	delete(x.settled, waitKey{r.Link, r.Sequence})
	place, err := x.placeOf(ctx, r)
	if err != nil || place == 0 || !x.links[i].reads(r.Key) {
		return err
	}
	block, err := x.block(ctx, place/blockSize)
	if err != nil {
		return err
	}
	x.set(block, r.Link, place, code)
	if x.changed != nil {
		x.changed(place)
	}
	return nil
}

// placeOf is the place in EVENTS of the event of a record, 0 when it is there no more.
func (x *outcomeIndex) placeOf(ctx context.Context, r queue.KeyedRecord) (uint64, error) {
	place := x.places[r.Key]
	if r.Outcome == event.Erased { // a tombstone has another place than the event
		place = 0
	}
	switch {
	case r.Source == queue.FromEvents && r.Sequence > 0:
		place = r.Sequence
	case place == 0:
		var err error
		if place, err = x.a.placeOf(ctx, r.Key); err != nil {
			return 0, err
		}
	}
	if r.Outcome == event.Waiting && place > 0 {
		if len(x.places) >= placesMost {
			clear(x.places)
		}
		x.places[r.Key] = place
	}
	if r.Outcome == event.Erased {
		delete(x.places, r.Key)
	}
	return place, nil
}

// placeOf asks the log where an event is, 0 where it is not.
func (a Admin) placeOf(ctx context.Context, key event.Key) (uint64, error) {
	m, err := a.Queue.Client().Last(ctx, event.EventsStream, event.LogSubjects.Of(key.Subject()))
	if errors.Is(err, queue.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return m.Sequence, nil
}

// countedAs names what is counted: with another name all is counted anew.
const countedAs = "hours"

// linksHash names what the links read and from when on: the outcomes of unread events hang on it.
func linksHash(links []linkInfo) string {
	type reading struct {
		ID       string
		Start    time.Time
		Subjects []string
	}
	var all []reading
	for _, k := range links {
		all = append(all, reading{k.id, k.start.UTC(), slices.Sorted(slices.Values(k.subjects))})
	}
	text, _ := json.Marshal(all)
	sum := sha256.Sum256(append([]byte(countedAs), text...))
	return hex.EncodeToString(sum[:])
}
