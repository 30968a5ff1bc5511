package link_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/expression"
)

// hostile is what a stranger may send: as much as a hook or a record holds.
func hostile() calltouch.Fields {
	tags := make([]string, 60_000)
	for i := range tags {
		tags[i] = "a"
	}
	return calltouch.Fields{
		"id": "1", "duration": 1_000_000, "waiting_time": 10_000, "utm_source": strings.Repeat("x", 100_000), "city": strings.Repeat("ab", 120_000),
		"utm_term": "((a|b|c|d|e|f|g|h|i|jj|kk){30}){30}", "tags": tags, "attrs": map[string]string{"promo": strings.Repeat("<", 100_000)},
	}
}

// TestExpressionsKeepToTheirBudget: what a value may make of an expression is a dead letter, and not
// the end of the process or of the day.
func TestExpressionsKeepToTheirBudget(t *testing.T) {
	values := map[string]string{
		"a text repeated":                       `repeat(utm_source, duration)`,
		"a text repeated within what expr lets": `repeat(utm_source, 1000000)`,
		"a text doubled again and again":        `let a = city + city; let b = a + a; let c = b + b; let d = c + c; let e = d + d; e + e`,
		"a text added up":                       `reduce(1..10000, #acc + utm_source, "")`,
		"a text added up among small ones":      `reduce(1..10000, #acc + "0123456789", "")`,
		"a replacement for nothing":             `replace(utm_source, "", utm_source)`,
		"a replacement for each":                `replace(utm_source, "x", utm_source)`,
		"a join with a long glue":               `join(tags, utm_source)`,
		"a join of one text many times":         `join(map(1..10000, utm_source), ",")`,
		"a list of one text many times":         `map(1..10000, utm_source)`,
		"JSON of one text many times":           `json(map(1..10000, utm_source))`,
		"JSON again and again":                  `len(map(1..10000, json(tags)))`,
		"lists within lists":                    `len(map(1..10000, 1..10000))`,
		"loops within loops":                    `count(1..10000, count(1..10000, true) > 0)`,
		"loops within loops within loops":       `count(1..10000, count(1..10000, count(1..10000, # > 5) > 5) > 5)`,
		"a list for each of its own":            `count(tags, count(tags, # == "b") > 0)`,
		"a look-up for each of its own":         `count(tags, "b" in tags)`,
		"all pairs":                             `len(uniq(map(1..10000, # + 1)))`,
		"lists compared again and again":        `let l = map(1..1000, 1..1000); count(1..10000, l == l)`,
		"a list copied again and again":         `reduce(1..10000, concat(#acc, tags), [])`,
		"reversed again and again":              `count(1..10000, len(reverse(tags)) > 0)`,
		"split again and again":                 `count(1..10000, len(split(city, "")) > 0)`,
		"parsed again and again":                `count(1..10000, len(fromJSON(json(tags))) > 0)`,
		"phones again and again":                `count(1..10000, filled(phone(city)))`,
		"addresses again and again":             `count(1..10000, filled(email(city)))`,
		"cut again and again":                   `count(1..10000, city[1:] == "x")`,
		"trimmed of many letters":               `trim(city, utm_source + "я") + trim(city, utm_source + "ю") + "."`,
		"a search again and again":              `count(1..10000, city contains "abba") + count(1..10000, city contains "abba")`,
		"a pattern of many steps":               `city matches "(a|b|ab|ba|aba){500}c" ? 1 : 0`,
		"a value that is a pattern":             `city matches utm_term ? 1 : 0`,
		"a pattern as long as a text":           `utm_term matches city ? 1 : 0`,
		"in mixed text":                         `city}${city}${city}${city}${city}${city`,
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			l := parsed(t, configuration("filled(id)", "${"+value+"}"))
			began, before := time.Now(), allocated()
			_, err := l.Render(hostile())
			assertCostly(t, err)
			// Bounds far beyond what the budget is: without one there would be no end.
			if took, made := time.Since(began), allocated()-before; took > time.Minute || made > 1<<30 {
				t.Errorf("it took %v and %d MB", took, made>>20)
			}
		})
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func parsed(t *testing.T, text string) *link.Link {
	t.Helper()
	file, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{})
	if err != nil {
		t.Fatal(problems)
	}
	return file.Link("one")
}

func assertCostly(t *testing.T, err error) {
	t.Helper()
	var e *expression.Error
	if !errors.As(err, &e) || !e.Costly || !strings.Contains(e.Error(), "too much memory or work") {
		t.Errorf("got %v", err)
	}
	if err != nil && len(err.Error()) > 2000 {
		t.Errorf("the error quotes what came: %d bytes", len(err.Error()))
	}
}

// TestConditionsKeepToTheirBudget: all conditions of a link share one, and so does what explains it.
func TestConditionsKeepToTheirBudget(t *testing.T) {
	l := parsed(t, configuration(`count(1..10000, count(1..10000, true) > 0) > 0`, "x"))
	_, err := l.Filter(hostile())
	assertCostly(t, err)
	l.Explain(hostile(), false)
}

// TestABodyIsBounded: many fields that are each within bounds.
func TestABodyIsBounded(t *testing.T) {
	body := strings.Builder{}
	for i := range 40 {
		body.WriteString("\n      f" + strings.Repeat("x", i+1) + ": ${city}")
	}
	_, err := parsed(t, withBody(body.String(), "    require: []")).Render(hostile())
	assertCostly(t, err)
}

// TestTheBudgetIsWide: what links really do stays far below it, with large events too.
func TestTheBudgetIsWide(t *testing.T) {
	for _, value := range []string{
		`join(tags, ", ")`, `len(filter(tags, # != "a")) + 1`, `upper(city)`, `replace(city, "a", "b")`, `city[:100]`, `map(tags, # + "!")[:2]`,
		`"a" in tags`, `city matches "^(a|b)+$" ? "yes" : "no"`, `cut(city, 1000)`, `len(split(city, "b"))`, `join(uniq(tags[:1000]), ",")`,
		`json(attrs)`, `sum(map(1..100, # * 2))`, `len(reduce(tags[:1000], #acc + #, ""))`, `city contains "abba" ? 1 : 2`,
	} {
		l := parsed(t, configuration("filled(id)", "${"+value+"}"))
		if r, err := l.Render(hostile()); err != nil || len(r.Body) < len(`{"always":"x","field":1}`) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// TestTheMachineIsNotInReach: its name is none of the language's.
func TestTheMachineIsNotInReach(t *testing.T) {
	for _, value := range []string{`__run`, `$env`, `$env["__run"]`, `__made(id)`} {
		if problemsOf(configuration("filled(id)", "${"+value+"}")) == nil {
			t.Errorf("%s is taken", value)
		}
	}
}

// TestABudgetIsForOneEvent: what one event used up, the next one has.
func TestABudgetIsForOneEvent(t *testing.T) {
	l := parsed(t, configuration(`count(tags, # == "a") > 0`, "${join(tags, ', ')}"))
	event := hostile()
	for range 30 {
		if _, err := l.Filter(event); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := l.Filter(calltouch.Fields{"id": "1"}); err != nil || v.Pass {
		t.Errorf("the tags of another event were seen: %+v, %v", v, err)
	}
}
