package calltouch

import (
	"errors"

	"github.com/touchbox/touchbox/pkg/event"
)

// ErrUnreadable reports a body that is no hook and no record at all.
var ErrUnreadable = errors.New("body is unreadable")

// Parse reads a stored event of any origin into the vocabulary. The only error is ErrUnreadable.
func Parse(e event.Event, v View) (Fields, error) { return nil, ErrUnreadable }

// Undeclared returns the names of the attributes that e brought and v does not declare, sorted.
func Undeclared(e event.Event, v View) []string { return nil }

// Fingerprint recomputes what tells two calls under one id apart, from a stored event of any
// origin.
func Fingerprint(e event.Event, v View) event.Fingerprint { return event.Fingerprint{} }
