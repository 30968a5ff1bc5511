package admin

import (
	"bytes"
	"compress/flate"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// blockSize is how many places of EVENTS a block has, and a value of STATE.
const blockSize = 8192

// indexBlock is a part of the log.
type indexBlock struct {
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

func (p *indexBlock) row(name string) []byte {
	row := p.rows[name]
	if row == nil {
		row = make([]byte, blockSize)
		p.rows[name] = row
	}
	return row
}

// at is the byte of a place; 0 where none is known.
func (p *indexBlock) at(name string, place uint64) byte {
	if row := p.rows[name]; row != nil {
		return row[place%blockSize]
	}
	return 0
}

// open are the rows of a block, which stays packed if it is.
func (p *indexBlock) open() map[string][]byte {
	if p.packed == nil {
		return p.rows
	}
	rows, _ := p.packed.unpack() // what was packed here can be unpacked
	return rows
}

// blockJSON is a block as STATE keeps it.
type blockJSON struct {
	Rows  []string                              `json:"rows"`
	Codes []byte                                `json:"codes"` // of all rows, one behind the other, deflated
	Last  map[string]map[event.Origin]time.Time `json:"last,omitempty"`
}

// unpacked gives a block its rows back.
func (x *outcomeIndex) unpacked(p *indexBlock) error {
	if p.packed == nil {
		return nil
	}
	rows, err := p.packed.unpack()
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	p.rows, p.packed = rows, nil
	return nil
}

// packOld packs the blocks that are counted, but for the newest, and lets those go that are older than a place: of a log
// of a million events and a hundred links that leaves some MB of a hundred.
func (x *outcomeIndex) packOld(first uint64) error {
	newest := x.mark.Events.Sequence / blockSize
	for n, p := range x.blocks {
		if n < first/blockSize {
			x.mu.Lock()
			delete(x.blocks, n)
			x.mu.Unlock()
			continue
		}
		if p.packed != nil || p.sums == nil || n+blocksOpen > newest {
			continue
		}
		packed, err := p.pack()
		if err != nil {
			return err
		}
		x.mu.Lock()
		p.packed, p.rows = &packed, map[string][]byte{}
		x.mu.Unlock()
	}
	return nil
}

// blocksOpen is how many of the newest blocks are kept as they are.
const blocksOpen = 8

// unpack gives the rows of a block. errCounts.
func (stored blockJSON) unpack() (map[string][]byte, error) {
	codes, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(stored.Codes)), int64(len(stored.Rows))*blockSize+1))
	if err != nil || len(codes) != len(stored.Rows)*blockSize {
		return nil, errCounts
	}
	rows := make(map[string][]byte, len(stored.Rows))
	for i, name := range stored.Rows {
		rows[name] = codes[i*blockSize : (i+1)*blockSize : (i+1)*blockSize]
	}
	return rows, nil
}

func (p *indexBlock) pack() (blockJSON, error) {
	stored := blockJSON{Rows: slices.Sorted(maps.Keys(p.rows)), Last: p.last}
	var codes bytes.Buffer
	w, err := flate.NewWriter(&codes, flate.DefaultCompression)
	if err != nil {
		return stored, err
	}
	for _, name := range stored.Rows {
		_, _ = w.Write(p.rows[name]) // into memory
	}
	err = w.Close()
	stored.Codes = codes.Bytes()
	return stored, err
}
