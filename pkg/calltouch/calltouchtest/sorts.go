package calltouchtest

import "math/rand/v2"

// Sort names what is particular about a call, a form request or a hook, in a word or two that a
// demonstration can show beside it.
type Sort string

// The sorts of calls.
const (
	Dynamic  Sort = "dynamic"   // a visitor with a session and Mindbox's device id
	Static   Sort = "static"    // dialled a number printed somewhere: no session at all
	NoCookie Sort = "no cookie" // a session, but the device id was never set
	CallBack Sort = "call-back" // the call-back widget: a session, and no pool
	Missed   Sort = "missed"    // nobody answered
	Short    Sort = "short"     // answered, over within five seconds
	Foreign  Sort = "foreign"   // a number of another country
	Hidden   Sort = "hidden"    // the caller's number is not shown
	Internal Sort = "internal"  // a colleague's three digits
	Negative Sort = "negative"  // Calltouch reports a duration below zero
	Long     Sort = "long"      // still going on for a while after its first hook
)

// The sorts of form requests.
const (
	Form      Sort = "form"         // with a session, an e-mail and a comment
	Formatted Sort = "form, 8 (…)"  // the number as the visitor typed it
	Offline   Sort = "form, no web" // created by an API: no session
)

// The hooks that are no event.
const (
	Ping  Sort = "test ping" // the cabinet's test button: {callerphone} unfilled
	Empty Sort = "empty"     // no parameter at all
)

func (s Sort) isRequest() bool { return s == Form || s == Formatted || s == Offline }

// session reports whether calls and requests of this sort belong to a visit of the site.
func (s Sort) session() bool { return s != Static && s != Offline }

// mixture is the usual mixture of a busy clinic, in parts of a hundred.
var mixture = []struct {
	sort  Sort
	parts int
}{
	{Dynamic, 30}, {Static, 13}, {NoCookie, 9}, {CallBack, 6}, {Missed, 8}, {Short, 6}, {Foreign, 3},
	{Hidden, 2}, {Internal, 2}, {Negative, 1}, {Long, 4}, {Form, 9}, {Formatted, 2}, {Offline, 2},
	{Ping, 2}, {Empty, 1},
}

// pick is the sort of the event with this id.
func (c *Calltouch) pick(id int64) Sort {
	left := c.random(id, 7).IntN(100)
	for _, m := range mixture {
		if left -= m.parts; left < 0 {
			return m.sort
		}
	}
	return Dynamic
}

// random gives numbers that depend on the seed, the id and the purpose alone.
func (c *Calltouch) random(id int64, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(c.cfg.Seed<<8|purpose, uint64(id)))
}
