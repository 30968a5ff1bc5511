// Package cases is the tests of links: files of events, each with what links are to make of it.
//
// What flows in are the files of tests beside touchbox.yaml and that file, read; what flows out is for each case and
// link whether it comes as expected, and the difference where it does not. It judges an event by link.Link.Try, as a
// worker would. Record makes a case of an event that came, without what it says of a person; Update writes what comes now into a
// file of tests. The package sends nothing and asks no server.
package cases

import (
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
)

// File is one file of tests, read and checked against the links of a touchbox.yaml.
type File struct {
	Path  string
	Cases []*Case

	source []byte
}

// Case is an event with what links are to make of it. A line of a table is a case of its own.
type Case struct {
	Name    string
	Line    int
	Message string // why it has to be so; may be empty
	Expect  []*Expectation

	fields calltouch.Fields
	now    time.Time // at which it is handled
}

// Expectation is what a link is to make of the event of a case. What is nil is not looked at.
type Expectation struct {
	Link    *link.Link
	Line    int
	Message string // why it has to be so; may be empty

	outcome   *written
	condition *written
	operation *written
	device    *written
	body      *values // the whole of it
	fields    *values // some of it
	without   []written
}

// written is a text as a file says it, with its place there.
type written struct {
	text  string
	span  span
	loose bool // a cell of a table: 42 stands for the number and for the text
}

// values are the leaves of a body by their dotted paths, as JSON.
type values struct {
	span   span     // of the whole, where it stands line by line
	indent int      // how far its lines are indented
	json   bool     // it stands as JSON under |
	paths  []string // in the order of the file
	at     map[string]written
}
