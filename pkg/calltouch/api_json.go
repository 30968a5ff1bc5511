package calltouch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// errNoList reports an answer that is JSON, but neither a list nor a record.
var errNoList = errors.New("the answer holds no records")

// maxLone bounds an answer that is one single record: it has to be kept until its end.
const maxLone = 1 << 20

// readRecords reads an answer of either method as a stream and hands every record on with its own
// bytes; no more than one record is in memory at a time. An answer is a bare array, a page
// ({pageTotal, records: [...]}), or, from a file server, a single record. It returns how many
// pages there are, 0 when the answer does not say. An error of each is returned as it is.
func readRecords(r io.Reader, each func(json.RawMessage) error) (pages int, err error) {
	lone := &capture{limit: maxLone}
	d := json.NewDecoder(io.TeeReader(&cleaner{r: r}, lone))
	token, err := d.Token()
	if err != nil {
		return 0, unexpected(err)
	}
	switch token {
	case nil: // null: nothing
		return 0, nil
	case json.Delim('['):
		lone.stop()
		return 0, readArray(d, each)
	case json.Delim('{'):
		return readObject(d, lone, each)
	}
	return 0, errNoList
}

// readArray reads a list after its opening bracket.
func readArray(d *json.Decoder, each func(json.RawMessage) error) error {
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return unexpected(err)
		}
		if err := each(raw); err != nil {
			return err
		}
	}
	_, err := d.Token() // the closing bracket: without it the answer was cut
	return unexpected(err)
}

// readObject reads a page, or a single record, after its opening brace.
func readObject(d *json.Decoder, lone *capture, each func(json.RawMessage) error) (pages int, err error) {
	list, record := false, false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return 0, unexpected(err)
		}
		if name == "records" {
			lone.stop()
			list = true
			if err := readList(d, each); err != nil {
				return 0, err
			}
			continue
		}
		var value loose
		if err := d.Decode(&value); err != nil {
			return 0, unexpected(err)
		}
		switch name {
		case "pageTotal":
			pages, _ = strconv.Atoi(string(value))
		case "callId", "requestId":
			record = true
		}
	}
	if _, err := d.Token(); err != nil {
		return 0, unexpected(err)
	}
	switch {
	case list:
		return pages, nil
	case record && !lone.full:
		return 0, each(bytes.TrimSpace(lone.kept[:d.InputOffset()]))
	}
	return 0, errNoList
}

// readList reads a list that may be null.
func readList(d *json.Decoder, each func(json.RawMessage) error) error {
	token, err := d.Token()
	switch {
	case err != nil:
		return unexpected(err)
	case token == nil:
		return nil
	case token == json.Delim('['):
		return readArray(d, each)
	}
	return errNoList
}

// unexpected turns the end of the input inside an answer into what it is: an answer that was cut.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// capture keeps what is written to it, up to a limit, until it is told to stop.
type capture struct {
	limit   int
	kept    []byte
	full    bool
	stopped bool
}

func (c *capture) Write(b []byte) (int, error) {
	switch {
	case c.stopped || c.full:
	case len(c.kept)+len(b) > c.limit:
		c.full, c.kept = true, nil
	default:
		c.kept = append(c.kept, b...)
	}
	return len(b), nil
}

func (c *capture) stop() { c.stopped, c.kept = true, nil }

// cleaner makes legal JSON of Calltouch's: raw control characters inside texts, as were seen in
// production, become escapes, so that they survive; a byte order mark at the start goes.
type cleaner struct {
	r        io.Reader
	in       [16 << 10]byte
	out      []byte // made, not yet taken
	err      error
	inText   bool
	escaped  bool
	notFirst bool
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (c *cleaner) Read(b []byte) (int, error) {
	for len(c.out) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		var n int
		n, c.err = c.r.Read(c.in[:])
		c.clean(c.in[:n])
	}
	n := copy(b, c.out)
	c.out = c.out[n:]
	return n, nil
}

func (c *cleaner) clean(in []byte) {
	c.out = c.out[:0]
	if !c.notFirst && len(in) > 0 {
		c.notFirst = true
		in = bytes.TrimPrefix(in, byteOrderMark)
	}
	for _, b := range in {
		switch {
		case c.inText && b < ' ' && c.escaped:
			c.out = fmt.Appendf(c.out, "u%04x", b) // the backslash before it stands already
			c.escaped = false
			continue
		case c.inText && b < ' ':
			c.out = fmt.Appendf(c.out, `\u%04x`, b)
			continue
		case c.inText && c.escaped:
			c.escaped = false
		case c.inText && b == '\\':
			c.escaped = true
		case b == '"':
			c.inText = !c.inText
		}
		c.out = append(c.out, b)
	}
}

// loose is a value whose type changes from answer to answer: a text, a number or a boolean, as
// text. null, lists and objects are "".
type loose string

// UnmarshalJSON never fails on legal JSON.
func (l *loose) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(l))
	case 'n', '[', '{':
		*l = ""
	default: // digits as they stand: a float64 would lose the last of 19
		*l = loose(b)
	}
	return nil
}
