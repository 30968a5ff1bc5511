package keys

import (
	"github.com/touchbox/touchbox/pkg/event"
)

// Reached are the outcomes that an event can come to for a link without anybody sending it: what a test can expect.
var Reached = []event.Outcome{event.Delivered, event.Filtered, event.Undeliverable, event.Shadow, event.Untaken, event.Dead}

// Outcomes are Reached as words.
func Outcomes() []string {
	words := make([]string, len(Reached))
	for i, o := range Reached {
		words[i] = string(o)
	}
	return words
}

// TestSections are the sections of a file of tests; the first is the file itself.
func TestSections() []*Section { return []*Section{&TestFile, &TestCase, &Expectation} }

// TestFile is a file of tests, tests/*.yaml beside touchbox.yaml.
var TestFile = Section{Name: "tests", About: "Tests of the links of touchbox.yaml", Keys: []Key{
	{Name: "site", About: "The site of the events, by its name or id; none = the first one"},
	{Name: "clock", About: `The moment at which the events are handled, as in "2026-11-01 12:00:00"; none = the moment when they happened`, Examples: []any{"2026-11-01 12:00:00"}},
	{Name: "cases", Required: true, Kind: Mapping, Number: List, Of: &TestCase, About: "An event each, and what the links are to make of it"},
}}

// TestCase is an event with what links are to make of it.
var TestCase = Section{Name: "case", About: "An event, and what the links are to make of it", Keys: []Key{
	{Name: "name", Required: true, About: "What it shows, in a sentence", Examples: []any{"a call of five seconds goes nowhere"}},
	{Name: "site", About: "The site of the event, by its name or id; none = that of the file"},
	{Name: "clock", About: "The moment at which the event is handled; none = that of the file"},
	{Name: "event", Required: true, Kind: TestEvent, About: "The event: the body of a hook or a record of the API under |, or names and values of fields"},
	{Name: "links", Kind: Expected, Number: Map, About: "What each link makes of it, by the link's id: an outcome, or more under it", Examples: []any{map[string]any{"calls-dynamic": "delivered", "calls-static": "filtered"}}},
	{Name: "table", Kind: Text, About: "More cases of the same event, under |: a line with names of fields and ids of links between bars, then a line of values for each case"},
	{Name: "message", About: "What is said where it fails: why it has to be so"},
}}

// Expectation is what a link is to make of an event.
var Expectation = Section{Name: "expectation", About: "What a link makes of the event", Keys: []Key{
	{Name: "outcome", Kind: Choice, Choices: Outcomes(), About: "What becomes of the event: delivered (it would be sent), filtered, undeliverable, shadow, untaken (the link reads no such events), dead (an expression fails, or it is too old)"},
	{Name: "condition", About: "The condition that does not hold, as it stands under `when`", Examples: []any{"duration > 5"}},
	{Name: "operation", About: "Mindbox's operation"},
	{Name: "deviceUUID", About: "The parameter deviceUUID of the request"},
	{Name: "body", Kind: Body, About: "The whole body: these fields and no other"},
	{Name: "fields", Kind: Body, About: "Some fields of the body; others may be there", Examples: []any{map[string]any{"customer.mobilePhone": "79000000001"}}},
	{Name: "without", Number: List, About: "Fields that the body must not have"},
	{Name: "message", About: "What is said where it fails: why it has to be so"},
}}
