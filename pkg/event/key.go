package event

import (
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind says what happened at Calltouch. Its text is one token of a subject.
type Kind string

// The three kinds of event.
const (
	CallStarted Kind = "call-started" // a call began (callphase callconnected)
	CallEnded   Kind = "call-ended"   // a call is over, answered or not
	Request     Kind = "request"      // somebody left a form
)

// Kinds lists every kind.
var Kinds = []Kind{CallStarted, CallEnded, Request}

// Dotted is the kind as people write it in touchbox.yaml and on the command line: call.ended.
func (k Kind) Dotted() string { return strings.ReplaceAll(string(k), "-", ".") }

// ParseKind reads either spelling of a kind, call.ended or call-ended.
func ParseKind(s string) (Kind, error) {
	if slices.Contains(Kinds, Kind(s)) {
		return Kind(s), nil
	}
	for _, k := range Kinds {
		if s == k.Dotted() {
			return k, nil
		}
	}
	return "", fmt.Errorf("unknown kind %q: use call.started, call.ended or request", s)
}

// MaxID is the longest id, in bytes, that a key can hold. A longer one cannot be an id of
// Calltouch's (its ids are decimal numbers of up to 19 digits) and would not fit a subject.
const MaxID = 64

// ErrBadKey reports a key with a part that is missing, too long or malformed.
var ErrBadKey = errors.New("bad event key")

// Key names one event for good: the same call or request has the same key whichever way it came.
type Key struct {
	Site string // Calltouch's siteId, decimal
	Kind Kind
	ID   string // Calltouch's id of the call or the request, within this site and kind
}

// NewKey checks the parts. The error is ErrBadKey.
func NewKey(site string, kind Kind, id string) (Key, error) {
	if !shortDecimal(site) {
		return Key{}, fmt.Errorf("%w: site is not a decimal number", ErrBadKey)
	}
	if id == "" || len(id) > MaxID {
		return Key{}, fmt.Errorf("%w: id has %d bytes, 1 to %d are possible", ErrBadKey, len(id), MaxID)
	}
	if _, err := ParseKind(string(kind)); err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrBadKey, err)
	}
	return Key{Site: site, Kind: kind, ID: id}, nil
}

// Subject is the key as the last three tokens of a subject: 10001.call-ended.148071.
func (k Key) Subject() string { return k.Site + "." + string(k.Kind) + "." + encodeID(k.ID) }

// String is the key as people write it: 10001/call-ended/148071.
func (k Key) String() string { return k.Site + "/" + string(k.Kind) + "/" + encodeID(k.ID) }

// ParseKey reads what Key.String wrote; the kind may also be dotted. The error is ErrBadKey.
func ParseKey(s string) (Key, error) { return parse(s, "/") }

// ParseSubject reads what Key.Subject wrote. The error is ErrBadKey.
func ParseSubject(s string) (Key, error) { return parse(s, ".") }

func parse(s, separator string) (Key, error) {
	site, rest, two := strings.Cut(s, separator)
	word, token, three := strings.Cut(rest, separator)
	if !two || !three || strings.Contains(token, separator) {
		return Key{}, fmt.Errorf("%w: want SITE/KIND/ID, as in 10001/call-ended/148071", ErrBadKey)
	}
	kind, err := ParseKind(word)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrBadKey, err)
	}
	id, err := decodeID(token)
	if err != nil {
		return Key{}, err
	}
	return NewKey(site, kind, id)
}

// encodedPrefix marks an id that is not a short decimal; no decimal begins with it.
const encodedPrefix = "x"

var idEncoding = base32.HexEncoding.WithPadding(base32.NoPadding)

// encodeID turns an id into one safe token of a subject, one to one. Calltouch's ids are
// short decimals and stay as they are.
func encodeID(id string) string {
	if shortDecimal(id) {
		return id
	}
	return encodedPrefix + strings.ToLower(idEncoding.EncodeToString([]byte(id)))
}

func decodeID(token string) (string, error) {
	if shortDecimal(token) {
		return token, nil
	}
	rest, ok := strings.CutPrefix(token, encodedPrefix)
	if !ok || rest != strings.ToLower(rest) {
		return "", fmt.Errorf("%w: %q is no id", ErrBadKey, clip(token))
	}
	raw, err := idEncoding.DecodeString(strings.ToUpper(rest))
	if err != nil || encodeID(string(raw)) != token {
		return "", fmt.Errorf("%w: %q is no id", ErrBadKey, clip(token))
	}
	return string(raw), nil
}

// shortDecimal reports whether s is 1 to 20 digits: 20 hold every 64-bit number.
func shortDecimal(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
