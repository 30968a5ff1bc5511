package expression

import (
	"errors"
	"reflect"
	"regexp/syntax"
	"strings"
	"sync"

	"github.com/expr-lang/expr/vm"
	"github.com/expr-lang/expr/vm/runtime"
)

// What strangers send must not decide how much memory and time an expression takes: a text repeated
// as often as a call lasted is 100 GB. So the expressions of one event have a budget. It counts work
// and not time, so that the same event always comes to the same verdict, on a busy machine too.
const (
	// maxText bounds one text that an expression makes, in bytes. Mindbox's fields take 1,000
	// characters.
	maxText = 1 << 20
	// MaxBody bounds a rendered body, in bytes.
	MaxBody = 4 << 20
	// maxWork bounds what the conditions of a link, or its request, may take for one event: bytes that
	// are made and steps that are done, some 50 ns each. Real links take some thousands.
	maxWork = 8 << 20
	// maxPattern bounds a pattern that is a value and not written in the file, in its own steps.
	maxPattern = 10_000
)

// errTooMuch reports an expression that asks for more than the budget.
var errTooMuch = errors.New("too much memory or work")

// nameRun is the name under which the helpers find the machine. No expression can spell it.
const nameRun = "__run"

// Machine runs the expressions of one event within its budget. It is for one goroutine at a time.
type Machine struct {
	vm   vm.VM
	left int            // of maxWork
	env  map[string]any // what the programs read of the event's fields, and the machine
}

// Machines is a pool of machines, so that no event pays for a new one. The zero value is ready.
type Machines struct{ pool sync.Pool }

// Get is a machine for the expressions of one event, with the whole budget. It goes back by Put.
func (p *Machines) Get() *Machine {
	m, ok := p.pool.Get().(*Machine)
	if !ok {
		m = &Machine{env: map[string]any{}}
	}
	m.left = maxWork
	return m
}

// Put makes a machine free for another event, without what it held of this one.
func (p *Machines) Put(m *Machine) {
	clear(m.env)
	p.pool.Put(m)
}

// run runs the program of an expression over the fields of the event. Those that it reads are handed over
// alone: an event has sixty, and an expression reads one or two.
func (m *Machine) run(e *Expression, fields map[string]any) (any, error) {
	m.env[nameRun] = m
	for _, name := range e.inputs {
		m.env[name] = fields[name]
	}
	return m.vm.Run(e.program, m.env)
}

// spend takes n steps or bytes from the budget, or reports that it is used up.
func (m *Machine) spend(n int) error {
	if m.left -= n; n < 0 || m.left < 0 {
		m.left = 0
		return errTooMuch
	}
	return nil
}

// made pays for a value that was made.
func (m *Machine) made(v any) (any, error) {
	s, ok := v.(string)
	if ok && len(s) > maxText {
		return nil, errTooMuch
	}
	return v, m.spend(size(v))
}

// size is about how many bytes a value takes that was made just now; what a list holds was paid for.
func size(v any) int {
	const item, pair = 16, 64
	switch v := v.(type) {
	case nil, bool, int, int64, float64:
		return 0
	case string:
		return len(v)
	case []any:
		return item * len(v)
	case []string:
		return item * len(v)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Slice, reflect.Array:
		return item * r.Len()
	case reflect.Map:
		return pair * r.Len()
	}
	return item
}

// readingCost is how much more work reading a text sign by sign is than looking through it.
const readingCost = 8

// steps is about how much work looking all through a value is.
func steps(v any) int {
	const word = 64 // bytes of a text that are one step
	switch v := v.(type) {
	case nil, bool, int, int64, float64:
		return 1
	case string:
		return 1 + len(v)/word
	case []string:
		return 1 + len(v)
	case map[string]any: // a table
		return 1
	case []any:
		n := 1
		for _, item := range v {
			n += steps(item)
		}
		return n
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return 1 + 4*r.Len()
	}
	return 1
}

// affordable asks before a function is called whether what it would make or do is within bounds.
func (m *Machine) affordable(name string, args []any) error {
	work := 0
	for _, a := range args {
		work += steps(a)
	}
	switch name {
	case "len", "first", "last":
		work = 1
	case "uniq":
		work *= work
	case "fromJSON":
		work += 8 * lengthOf(args, 0)
	case "trim":
		work += lengthOf(args, 0) * lengthOf(args, 1) / 64
	case "repeat":
		n := runtime.ToInt(args[1])
		if s := lengthOf(args, 0); n > 0 && s > 0 && n > maxText/s {
			return errTooMuch
		}
	case "replace":
		if replacedSize(args) > maxText {
			return errTooMuch
		}
	case "join":
		if joinedSize(args) > maxText {
			return errTooMuch
		}
	case "split", "splitAfter":
		work += 16 * (1 + strings.Count(textOf(args, 0), textOf(args, 1)))
	}
	return m.spend(work)
}

func textOf(args []any, i int) string {
	if i >= len(args) {
		return ""
	}
	s, _ := args[i].(string)
	return s
}

func lengthOf(args []any, i int) int { return len(textOf(args, i)) }

// replacedSize is how long the result of replace() would be.
func replacedSize(args []any) int {
	s, from, to := textOf(args, 0), textOf(args, 1), textOf(args, 2)
	n := strings.Count(s, from)
	if len(args) > 3 {
		if most := runtime.ToInt(args[3]); most >= 0 {
			n = min(n, most)
		}
	}
	return len(s) + n*(len(to)-len(from))
}

// joinedSize is how long the result of join() would be.
func joinedSize(args []any) int {
	n, glue := 0, lengthOf(args, 1)
	switch list := args[0].(type) {
	case []string:
		for _, s := range list {
			n += len(s) + glue
		}
	case []any:
		for _, v := range list {
			s, _ := v.(string)
			n += len(s) + glue
		}
	}
	return n
}

// patternSteps is how many steps a pattern has, its repeats written out; Go's own matcher takes at
// most that many for each byte of a text.
func patternSteps(re *syntax.Regexp) int {
	const most = 1 << 30
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n = min(most, n+patternSteps(sub))
	}
	if re.Op == syntax.OpRepeat {
		n *= 1 + max(re.Min, re.Max)
	}
	return min(most, n)
}
