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

// board is a materialized view of the log and HISTORY: of each stored event the newest recorded outcome for
// each link, and each site's way by which it came, one byte each, by the place in EVENTS. A worker keeps it in
// STATE (see KeepCounts); whoever asks reads it from there, and reads on to the end of both streams himself. So
// what is not kept yet, all of it where nobody keeps it, is read anew, and the answer is the same.
//
// Reading a record again sets the same byte again, so a part may be stored before it is said how far it was
// read, and a crash in between costs a repeat.
type board struct {
	a      Admin
	links  []linkInfo
	mark   boardMark
	blocks map[uint64]*boardBlock
	kept   bool // in STATE; else all of it is in memory
	writes bool // this process keeps it

	markRevision uint64
	revisions    map[uint64]uint64    // of the blocks in STATE
	places       map[event.Key]uint64 // of events that wait: their next records name RETRIES
	settled      map[waitKey]bool     // whether HISTORY said of a message that RETRIES holds that it was settled
	step         func(context.Context) error

	hours   map[int64]hourCounts // that are over, by their start; of a board that is not written
	partial time.Time            // an hour of which HISTORY has the end alone

	// mu is held while what is in memory changes: the Board of a process is looked at meanwhile.
	mu      sync.RWMutex
	bodies  bool               // the log is read with them
	came    func(event.Event)  // is told of each event
	changed func(place uint64) // is told of each outcome
}

// boardMark is how far a board has read, and for which links.
type boardMark struct {
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

// blockSize is how many places of EVENTS a block has, and a value of STATE.
const blockSize = 8192

// boardBlock is a part of the log.
type boardBlock struct {
	rows   map[string][]byte // by link, or siteRow
	last   map[string]map[event.Origin]time.Time
	dirty  bool
	packed *blockJSON // in the place of rows
	sums   *blockSums // nil: they are to be counted anew
}

// blockSums are what a block counts, as long as it stays as it is.
type blockSums struct {
	from  uint64 // the first place that is held
	gone  int    // places behind it that are not
	links map[string]Counts
	sites map[string]*SourceStatus
}

// unrecorded marks the outcome of an event of which HISTORY knows none.
const unrecorded = 0x80

// origins are the ways by which an event came, by their byte; 0 is none, and an erased event has none.
var origins = []event.Origin{"", event.Webhook, event.Poll, event.Journal, event.Backfill}

const unknownOrigin = 0x7f // of a damaged event

// siteRow is the name of a site's row of a block. No link's id has a slash.
func siteRow(site string) string { return "site/" + site }

// placesMost bounds what is remembered of events that wait.
const placesMost = 50_000

// readBoard reads what is kept of the board for these links and all that came since.
func (a Admin) readBoard(ctx context.Context, links []linkInfo) (*board, error) {
	b, err := a.keptBoard(ctx, links)
	if errors.Is(err, errCounts) {
		b = newBoard(a, links)
		err = b.catchUp(ctx)
	}
	return b, err
}

// errCounts reports a part of the kept board that cannot be read.
var errCounts = errors.New("the counts kept in STATE cannot be read")

func (a Admin) keptBoard(ctx context.Context, links []linkInfo) (*board, error) {
	b := newBoard(a, links)
	if !slices.ContainsFunc(links, func(k linkInfo) bool { return !k.stored }) { // else its start is not fixed yet
		if err := b.load(ctx); err != nil {
			return nil, err
		}
	}
	if err := b.catchUp(ctx); err != nil {
		return nil, err
	}
	return b, b.readBlocks(ctx)
}

// readBlocks brings the blocks of all that the log holds into memory.
func (b *board) readBlocks(ctx context.Context) error {
	log, err := b.a.Queue.Extent(ctx, event.EventsStream)
	for n := log.First / blockSize; err == nil && n <= b.mark.Events.Sequence/blockSize; n++ {
		_, err = b.block(ctx, n)
	}
	return err
}

func newBoard(a Admin, links []linkInfo) *board {
	return &board{a: a, links: links, blocks: map[uint64]*boardBlock{}, places: map[event.Key]uint64{}, revisions: map[uint64]uint64{}, hours: map[int64]hourCounts{}, mark: boardMark{Success: map[string]time.Time{}}}
}

// catchUp reads on to the end of both streams. The end of HISTORY is taken first: what is recorded by then is
// in the log by then.
func (b *board) catchUp(ctx context.Context) error {
	history, err := b.a.Queue.Extent(ctx, event.HistoryStream)
	if err != nil {
		return err
	}
	if history.Last == 0 {
		b.beginHours(b.a.now(), 1) // nothing was ever recorded
	}
	log, err := b.a.Queue.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	if err := b.readLog(ctx, log.Last); err != nil {
		return err
	}
	return b.readHistory(ctx, history)
}

func (b *board) readLog(ctx context.Context, end uint64) error {
	if b.mark.Events.Sequence >= end {
		return nil
	}
	o := queue.ScanOptions{From: b.mark.Events.Sequence + 1, Erased: true, HeadersOnly: !b.bodies, Gently: b.step != nil, Told: b.a.scanning(event.EventsStream)}
	at := placed{}
	for e, err := range b.a.scanLog(ctx, o) {
		if err != nil {
			return err
		}
		if e.Sequence > end {
			break
		}
		if err := b.addEvent(ctx, e); err != nil {
			return err
		}
		at = placed{e.Sequence, e.Stored}
		if err := b.pause(ctx, func() { b.mark.Events = at }); err != nil {
			return err
		}
	}
	b.mark.Events = endOf(at, end)
	return nil
}

func (b *board) readHistory(ctx context.Context, held queue.Extent) error {
	end := held.Last
	if b.mark.History.Sequence >= end {
		return nil
	}
	at, fresh := placed{}, b.mark.History.Sequence == 0
	for r, err := range b.a.Queue.ScanRecords(ctx, queue.RecordScan{From: b.mark.History.Sequence + 1, Gently: b.step != nil, Told: b.a.scanning(event.HistoryStream)}) {
		if err != nil {
			return err
		}
		if r.Place() > end {
			break
		}
		if fresh {
			b.beginHours(r.Stored(), held.First)
			fresh = false
		}
		if err := b.addRecord(ctx, r); err != nil {
			return err
		}
		at = placed{r.Place(), r.Stored()}
		if err := b.pause(ctx, func() { b.mark.History = at }); err != nil {
			return err
		}
	}
	b.mark.History = endOf(at, end)
	return nil
}

// endOf is the place of the end up to which a stream was read, where the last message that could be read is at.
func endOf(at placed, end uint64) placed {
	if at.Sequence == end {
		return at
	}
	return placed{Sequence: end}
}

// pause lets whoever keeps the board hold its pace and store it.
func (b *board) pause(ctx context.Context, mark func()) error {
	if b.step == nil {
		return nil
	}
	mark()
	return b.step(ctx)
}

// addEvent takes note of an event, of which an earlier reading may know the outcome already.
func (b *board) addEvent(ctx context.Context, e event.Event) error {
	block, err := b.block(ctx, e.Sequence/blockSize)
	if err != nil {
		return err
	}
	for _, k := range b.links {
		if k.reads(e.Key) && block.at(k.id, e.Sequence) == 0 {
			b.set(block, k.id, e.Sequence, unrecorded|codeOf(k.unrecorded(e)))
		}
	}
	if e.Received.IsZero() { // it is erased
		return nil
	}
	code := slices.Index(origins, e.Origin)
	if code <= 0 {
		code = unknownOrigin
	}
	b.set(block, siteRow(e.Key.Site), e.Sequence, byte(code))
	if b.came != nil {
		b.came(e)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
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
func (b *board) set(block *boardBlock, row string, place uint64, code byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	block.row(row)[place%blockSize] = code
	block.dirty, block.sums = true, nil
}

// addRecord takes note of an outcome, the newest so far.
func (b *board) addRecord(ctx context.Context, r queue.KeyedRecord) error {
	i := slices.IndexFunc(b.links, func(k linkInfo) bool { return k.id == r.Link })
	code := codeOf(r.Outcome)
	if err := b.countHour(ctx, r.Record); err != nil {
		return err
	}
	if i < 0 || code == 0 {
		return nil // a note, a link that is gone, or a word of a newer Touchbox
	}
	if r.Outcome == event.Delivered && r.Time.After(b.mark.Success[r.Link]) {
		b.mark.Success[r.Link] = r.Time
	}
	delete(b.settled, waitKey{r.Link, r.Sequence})
	place, err := b.placeOf(ctx, r)
	if err != nil || place == 0 || !b.links[i].reads(r.Key) {
		return err
	}
	block, err := b.block(ctx, place/blockSize)
	if err != nil {
		return err
	}
	b.set(block, r.Link, place, code)
	if b.changed != nil {
		b.changed(place)
	}
	return nil
}

// placeOf is the place in EVENTS of the event of a record, 0 when it is there no more.
func (b *board) placeOf(ctx context.Context, r queue.KeyedRecord) (uint64, error) {
	place := b.places[r.Key]
	if r.Outcome == event.Erased { // a tombstone has another place than the event
		place = 0
	}
	switch {
	case r.Source == queue.FromEvents && r.Sequence > 0:
		place = r.Sequence
	case place == 0:
		var err error
		if place, err = b.a.placeOf(ctx, r.Key); err != nil {
			return 0, err
		}
	}
	if r.Outcome == event.Waiting && place > 0 {
		if len(b.places) >= placesMost {
			clear(b.places)
		}
		b.places[r.Key] = place
	}
	if r.Outcome == event.Erased {
		delete(b.places, r.Key)
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

func (p *boardBlock) row(name string) []byte {
	row := p.rows[name]
	if row == nil {
		row = make([]byte, blockSize)
		p.rows[name] = row
	}
	return row
}

// at is the byte of a place; 0 where none is known.
func (p *boardBlock) at(name string, place uint64) byte {
	if row := p.rows[name]; row != nil {
		return row[place%blockSize]
	}
	return 0
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
