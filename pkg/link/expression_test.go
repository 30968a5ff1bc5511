package link_test

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/expression"
)

// configuration is a file with one link of one condition and one field.
func configuration(when, value string) string {
	return fmt.Sprintf(`
calltouch:
  - {site: 10001, name: clinic, token: 0123456789abcdef, attrs: [mindboxDeviceUUID, promo]}
mindbox:
  - {name: clinic, url: "https://api.mindbox.ru", endpoint: clinic.Website}
conditions:
  dynamic: filled(deviceUUID)
tables:
  places: {"78120000005": nevsky}
links:
  - id: one
    from: clinic
    event: [call.ended, request]
    when: '%s'
    to: clinic
    operation: CallTouch
    require: []
    body:
      always: x
      field: '%s'
`, strings.ReplaceAll(when, "'", "''"), strings.ReplaceAll(value, "'", "''"))
}

// column is where the condition begins in configuration.
const column = 12

func problemsOf(text string) link.Problems {
	_, problems, _ := link.Parse("touchbox.yaml", []byte(text), link.Options{})
	return problems
}

// TestConditionsRefused is the table of traps that the strict check finds.
func TestConditionsRefused(t *testing.T) {
	tests := []struct {
		when string
		at   int    // characters into the condition
		text string // of the problem, with its hint
	}{
		{`sesionId == "1"`, 0, "unknown name sesionId (did you mean sessionId?)"},
		{`fild(id)`, 0, "unknown function fild (did you mean find?)"},
		{`filed(id)`, 0, "unknown function filed (did you mean filled?)"},
		{`dinamic`, 0, "unknown name dinamic (did you mean dynamic?)"},
		{`filled(attrs.mindboxdeviceUUID)`, 13, "not declared in attrs of the site (did you mean mindboxDeviceUUID?)"},
		{`filled(attrs.other)`, 13, "the attribute other is not declared"},
		{`attrs["promos"] == "x"`, 6, "the attribute promos is not declared"},
		{`attrs[city] == "x"`, 5, "an attribute is named in full (attrs.name)"},
		{`promo == "x"`, 0, "unknown name promo (write attrs.promo)"},
		{`unique == "true"`, 7, "unique is yes or no, not a text (write unique or not unique)"},
		{`uniquerequest == true`, 14, "== does not go with a text and yes or no"},
		{`duration > "30"`, 9, "> does not go with a number and a text (write duration > 30)"},
		{`city == 5`, 5, "== does not go with a text and a number"},
		{`"9" > "30"`, 4, `texts are compared letter by letter: "9" is more than "30"`},
		{`id >= "148071"`, 3, "texts are compared letter by letter"},
		{`targetcall == "targt"`, 14, `targetcall is never "targt" (its values: target, non-target)`},
		{`"Target" != targetcall`, 0, `targetcall is never "Target"`},
		{`targetcall in ["target", "no"]`, 25, `targetcall is never "no"`},
		{`kind == "call-ended"`, 8, "its values: call.started, call.ended, request"},
		{`utm_source == ""`, 14, `"" never comes: nothing, in all its spellings, is nil (empty(utm_source), filled(utm_source))`},
		{`utm_source != "<не указано>"`, 14, `"<не указано>" never comes`},
		{`attrs.promo == "null"`, 15, `"null" never comes`},
		{`city = "Москва"`, 5, "the expression is not understood at = (write city == \"Москва\")"},
		{`city <> "Москва"`, 6, `(write city != "Москва")`},
		{`city == null`, 8, "unknown name null (write city == nil)"},
		{`unique AND spam`, 7, "not understood at AND (write unique and spam)"},
		{`unique И spam`, 7, "not understood at И (write unique and spam)"},
		{`НЕ unique`, 3, "the expression is not understood at unique (write not unique)"},
		{`unique == да`, 10, "unknown name да (write unique == true)"},
		{`city == «Москва»`, 8, `(write city == "Москва")`},
		{`city == “Москва”`, 8, `(write city == "Москва")`},
		{`not duration > 5`, 0, "not does not go with a number (put what it negates in parentheses: not (...))"},
		{`city or unique`, 5, "or does not go with a text and yes or no (write filled(city) or unique)"},
		{`city ?? source == "x"`, 15, "?? and another operator need parentheses (write (city ?? source) == \"x\")"},
		{`lower(nil) == "x"`, 6, "lower() takes a text, not nil"},
		{`split(nil, ",") == tags`, 0, "the arguments do not fit the function"},
		{`int(nil) > 5`, 0, "the arguments do not fit the function"},
		{`nil + "x" == "x"`, 4, "+ does not go with any value and a text"},
		{`phone(duration) == "x"`, 6, "phone() takes a text, not a number"},
		{`phone() == "x"`, 0, "the arguments do not fit the function"},
		{`tags contains "x"`, 5, `(write "x" in tags)`},
		{`time > "2026-01-01"`, 5, `> does not go with a time and a text (write date(time) > "2026-01-01")`},
		{`time.Hour() > 5`, 5, `this cannot be called (local(time, "HH"))`},
		{`utc(time, "YYYY") == "2026"`, 10, "YYYY is no form of a time"},
		{`get(attrs, "x") == "x"`, 0, "unknown function get (write attrs.name or table[key])"},
		{`get($env, "x") == "x"`, 4, "unknown name $env"},
		{`$env.duration > 5`, 0, "unknown name $env"},
		{`type(id) == "strin"`, 0, "unknown function type"},
		{`now() > time`, 0, "unknown function now (an event must come to the same verdict"},
		{`duration`, 0, "a condition must come to yes or no, this one comes to a number (filled(duration))"},
		{`nil`, 0, "the expression is always nil"},
		{`map(tags, #)`, 0, "a condition must come to yes or no, this one comes to a list"},
		{`city matches "["`, 13, "[ is no pattern"},
		{`duration / 0 > 5`, 9, "nothing can be divided by 0"},
		{`unique; spam`, 0, "only the last one would count (join conditions by and)"},
		{`(unique`, 6, "the expression ends too early"},
		{`unique and`, 9, "the expression ends too early"},
		{`b"x" == id`, 0, "bytes are not part of the language"},
		{`__truth(unique)`, 0, "unknown function __truth"},
	}
	for _, tt := range tests {
		t.Run(tt.when, func(t *testing.T) {
			problems := problemsOf(configuration(tt.when, "x"))
			for _, p := range problems {
				want := link.Pos{Line: 14, Column: column + tt.at}
				if strings.Contains(p.String(), tt.text) && p.Pos == want && !p.Warning {
					return
				}
			}
			t.Errorf("want %q at column %d, got\n%s", tt.text, column+tt.at, problems)
		})
	}
}

func fullEvent() calltouch.Fields {
	f := dynamicCall()
	maps.Copy(f, calltouch.Fields{
		"attrs": map[string]string{"mindboxDeviceUUID": "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84", "promo": "Весна"},
		"city":  "Москва", "rating": int64(4), "status": "successful", "medium": "cpc", "spam": false,
		"timestamp": int64(1698092972), "calltime": "2023-10-23 23:29:32", "subject": "Запись", "utm_term": "12",
	})
	return f
}

// conditions with their truth on the full event and on one where nothing came.
var conditions = []struct {
	when        string
	full, empty bool
}{
	{`unique`, true, false},
	{`not unique`, false, true},
	{`not spam`, true, true},
	{`unique == true`, true, false},
	{`unique == nil`, false, true},
	{`unique and not spam`, true, false},
	{`spam or unique`, true, false},
	{`dynamic`, true, false},
	{`not dynamic`, false, true},
	{`dynamic and duration > 5`, true, false},
	{`duration > 30`, true, false},
	{`not (duration > 30)`, false, true},
	{`duration <= 30`, false, false},
	{`not (duration <= 30)`, true, true},
	{`duration == 42`, true, false},
	{`duration != 42`, false, true},
	{`duration == nil`, false, true},
	{`nil == nil and unique`, true, false},
	{`duration % 60 == 42`, true, false},
	{`duration / 60 < 1`, true, false},
	{`duration * 2 + 1 == 85`, true, false},
	{`duration - duration == 0`, true, false},
	{`-duration < 0`, true, false},
	{`duration ** 2 > 1000`, true, false},
	{`rating in [4, 5]`, true, false},
	{`rating not in [4, 5]`, false, true},
	{`rating in 1..5`, true, false},
	{`city == "Москва"`, true, false},
	{`city != "Тверь"`, true, true},
	{`city in ["Москва", "Тверь"]`, true, false},
	{`city contains "ск"`, true, false},
	{`not (city contains "ск")`, false, true},
	{`city not contains "ск"`, false, true},
	{`city startsWith "Мос"`, true, false},
	{`city endsWith "ква"`, true, false},
	{`city matches "^М.*а$"`, true, false},
	{`city[0:3] == "Мос"`, true, false},
	{`city + "!" == "Москва!"`, true, false},
	{`(city ?? "нет") == "нет"`, false, true},
	{`city == source`, false, true},
	{`targetcall == "target"`, true, false},
	{`"a" in tags`, true, false},
	{`not ("a" in tags)`, false, true},
	{`any(tags, # startsWith "b")`, true, false},
	{`none(tags, # == "c")`, true, true},
	{`all(tags, len(#) == 1)`, true, true},
	{`count(tags, # != "a") == 1`, true, false},
	{`len(tags) == 2`, true, false},
	{`tags[0] == "a"`, true, false},
	{`tags[7] == nil`, true, true},
	{`attrs.promo == "Весна"`, true, false},
	{`attrs["promo"] == "Весна"`, true, false},
	{`filled(attrs)`, true, false},
	{`lower(attrs.promo) == "весна"`, true, false},
	{`filled(utm_content)`, false, false},
	{`empty(utm_content)`, true, true},
	{`empty(tags)`, false, true},
	{`lower(city) == "москва"`, true, false},
	{`(city | lower()) == "москва"`, true, false},
	{`len(city) > 3`, true, false},
	{`split(city, "с")[1] == "ква"`, true, false},
	{`int(utm_term) == 12`, true, false},
	{`int(utm_term) > 5`, true, false},
	{`phone(callerphone) == "79000000001"`, true, false},
	{`phonenumber in places`, true, false},
	{`places[phonenumber] == "nevsky"`, true, false},
	{`lookup(places, phonenumber, "other") == "other"`, false, true},
	{`date(time) == "2023-10-23"`, true, false},
	{`date(time) >= "2023-10-23"`, true, false},
	{`local(time, "HH:mm") == "23:29"`, true, false},
	{`int(local(time, "HH")) > 20`, true, false},
	{`utc(timestamp) == utc(calltime)`, true, true}, // nil == nil
	{`time == time`, true, true},
	{`time > time`, false, false},
	{`unique ? duration > 5 : true`, true, true},
	{`if unique { duration > 5 } else { false }`, true, false},
	{`let d = duration; d > 5`, true, false},
	{`unique ?? false`, true, false},
	{`{a: city}.a == "Москва"`, true, false},
	{`[city, source][0] == "Москва"`, true, false},
	{`max(duration, rating) == 42`, true, false},
	{`trim(" " + city) == "Москва"`, true, false},
	{`string(duration) == "42"`, true, false},
	{`first(tags) == last(["a"])`, true, false},
	{`sum(map(tags, len(#))) == 2`, true, false},
	{`filter(tags, # == "b")[0] == "b"`, true, false},
	{`join(tags, ",") == "a,b"`, true, false},
	{`city == "Москва" && duration >= 42 || spam`, true, false},
}

func TestConditions(t *testing.T) {
	nothing := map[string]calltouch.Fields{
		"nothing came": {}, "attrs came empty": {"attrs": map[string]string{}}, "nil everywhere": nilEvent(),
	}
	for _, tt := range conditions {
		t.Run(tt.when, func(t *testing.T) {
			l := load(t, configuration(tt.when, "x")).Link("one")
			expectVerdict(t, l, fullEvent(), tt.full)
			for name, fields := range nothing {
				t.Run(name, func(t *testing.T) { expectVerdict(t, l, fields, tt.empty) })
			}
		})
	}
}

func expectVerdict(t *testing.T, l *link.Link, fields calltouch.Fields, want bool) {
	t.Helper()
	v, err := l.Filter(fields)
	if err != nil || v.Pass != want {
		t.Errorf("got %v, %v; want %v", v.Pass, err, want)
	}
}

func nilEvent() calltouch.Fields {
	f := calltouch.Fields{}
	for _, field := range calltouch.Vocabulary() {
		f[field.Name] = nil
	}
	return f
}

// TestExactlyOneHolds: of X and not X exactly one passes each event, whatever came.
func TestExactlyOneHolds(t *testing.T) {
	full := fullEvent()
	links := map[string]*link.Link{}
	loaded := func(when string) *link.Link {
		if links[when] == nil {
			links[when] = load(t, configuration(when, "x")).Link("one")
		}
		return links[when]
	}
	rapid.Check(t, func(rt *rapid.T) {
		tt := rapid.SampledFrom(conditions).Draw(rt, "condition")
		if strings.HasPrefix(tt.when, "let ") {
			rt.Skip()
		}
		fields := calltouch.Fields{}
		for name, v := range full {
			if rapid.Bool().Draw(rt, name) {
				fields[name] = v
			}
		}
		yes, err := loaded(tt.when).Filter(fields)
		no, err2 := loaded("not (" + tt.when + ")").Filter(fields)
		if err != nil || err2 != nil || yes.Pass == no.Pass {
			rt.Fatalf("%s: %v, %v; negated: %v, %v", tt.when, yes.Pass, err, no.Pass, err2)
		}
	})
}

// TestBadValue: what fails at run time is an error that names the expression and no value.
func TestBadValue(t *testing.T) {
	const secret = "78129999999x"
	tests := []struct {
		name, when, value string
		fields            calltouch.Fields
	}{
		{"a text for a number", `duration > 5`, "x", calltouch.Fields{"duration": secret}},
		{"a text for a boolean", `unique`, "x", calltouch.Fields{"unique": secret}},
		{"int of a word", `int(utm_term) > 5`, "x", calltouch.Fields{"utm_term": secret}},
		{"no time", `utc(calltime) == "x"`, "x", calltouch.Fields{"calltime": secret}},
		{"division by zero", `1 / rating > 5`, "x", calltouch.Fields{"rating": int64(0)}},
		{"an endless list", `len(0..timestamp) > 1`, "x", calltouch.Fields{"timestamp": int64(1e15)}},
		{"infinity in the body", `id != "1"`, "${1 / rating}", calltouch.Fields{"rating": int64(0)}},
		{"a product beyond any number", `id != "1"`, "${timestamp * 10000000000000}", calltouch.Fields{"timestamp": int64(1793610900)}},
		{"a sum beyond any number", `duration + 1 > 0`, "x", calltouch.Fields{"duration": int64(math.MaxInt64)}},
		{"a whole number beyond any", `id != "1"`, "${int(rating)}", calltouch.Fields{"rating": 1e300}},
		{"a difference beyond any number", `duration - 2 < 0`, "x", calltouch.Fields{"duration": int64(math.MinInt64)}},
		{"a word in the body", `id != "1"`, "a ${int(utm_term)}", calltouch.Fields{"utm_term": secret}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(t, configuration(tt.when, tt.value)).Link("one")
			v, err := l.Filter(tt.fields)
			if err == nil && v.Pass {
				_, err = l.Render(tt.fields)
			}
			e, ok := errorsAs[*expression.Error](err)
			if !ok {
				t.Fatalf("got %v, want an expression.Error", err)
			}
			if strings.Contains(e.Error(), secret) || !strings.Contains(e.Error(), e.Source) {
				t.Errorf("the error is %q", e)
			}
		})
	}
}

func TestSaw(t *testing.T) {
	l := load(t, configuration(`dynamic and attrs.promo == "Осень"`, "x")).Link("one")
	v, err := l.Filter(fullEvent())
	if err != nil {
		t.Fatal(err)
	}
	want := []link.Condition{{
		Source: `dynamic and attrs.promo == "Осень"`, Value: false,
		Saw: map[string]any{"deviceUUID": "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84", "attrs.promo": "Весна"},
	}}
	if diff := cmp.Diff(want, v.Conditions); diff != "" {
		t.Error(diff)
	}
	v.Mask()
	if got := v.Conditions[0].Saw["attrs.promo"]; got != "***" {
		t.Errorf("masked: %v", got)
	}
}

// TestTimesInWholeSeconds: the API gives milliseconds, a hook seconds.
func TestTimesInWholeSeconds(t *testing.T) {
	l := load(t, configuration(`utc(time) == "2023-10-23 20:29:32.000"`, "x")).Link("one")
	expectVerdict(t, l, calltouch.Fields{"time": time.UnixMilli(1698092972987)}, true)
}
