package calltouchtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Faults say what goes wrong. Shares lie between 0 and 1; the zero value is a faultless
// Calltouch. They may be changed while it runs: SetFaults, POST /control.
type Faults struct {
	DropHooks   float64 `json:"drop_hooks"`   // share of hooks that are never sent
	RepeatHooks float64 `json:"repeat_hooks"` // share of hooks that are sent twice
	NoHooks     bool    `json:"no_hooks"`     // an outage of the sender: no hook is sent

	APIOutage    bool    `json:"api_outage"`    // every answer is a 500
	TooMany      float64 `json:"too_many"`      // share of answers that are a 429 with Retry-After: 1
	LimitText    float64 `json:"limit_text"`    // share of answers that are a 403 whose text tells of a limit
	Cut          float64 `json:"cut"`           // share of answers that break off in the middle
	RefuseToken  bool    `json:"refuse_token"`  // every answer is a 401
	Unstable     bool    `json:"unstable"`      // numbers as texts, booleans as True or 1, attrs in any shape
	ControlChars bool    `json:"control_chars"` // raw control characters inside texts
	ListTomorrow bool    `json:"list_tomorrow"` // answers list what happens within a day from now, too

	LateShare   float64 `json:"late_share"`   // share of new records that the API lists late
	LateSeconds int     `json:"late_seconds"` // by how much
	ChangeShare float64 `json:"change_share"` // share of new records that change an hour later
}

// Stats is the count on Calltouch's side, for a comparison with the other end.
type Stats struct {
	Calls    int          `json:"calls"`    // in the cabinet
	Requests int          `json:"requests"` // form requests in the cabinet
	Sorts    map[Sort]int `json:"sorts"`    // both, by sort
	Hooks    HookStats    `json:"hooks"`
	API      APIStats     `json:"api"`
}

// HookStats counts hooks. Sent = Accepted + Failed; a dropped hook is not sent, a repeated one
// is sent twice.
type HookStats struct {
	Sent     int `json:"sent"`
	Accepted int `json:"accepted"` // answered 200
	Failed   int `json:"failed"`   // any other answer, or none; Calltouch does not try again
	Dropped  int `json:"dropped"`
	Repeated int `json:"repeated"`
	NoEvent  int `json:"no_event"` // pings and empty hooks among those sent
}

// APIStats counts what the API methods were asked.
type APIStats struct {
	Asked    int   `json:"asked"`
	Answered int   `json:"answered"` // with records, whole
	Refused  int   `json:"refused"`  // 401, 403, 429, 500
	Cut      int   `json:"cut"`
	Records  int64 `json:"records"` // in all whole answers
	Busiest  int   `json:"busiest"` // most requests within any one second
}

// Faults returns what goes wrong at present.
func (c *Calltouch) Faults() Faults {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults
}

// SetFaults changes what goes wrong from now on.
func (c *Calltouch) SetFaults(f Faults) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = f
}

// Stats returns the count so far.
func (c *Calltouch) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Sorts = make(map[Sort]int, len(c.stats.Sorts))
	for sort, n := range c.stats.Sorts {
		s.Sorts[sort] = n
	}
	return s
}

// count changes the statistics.
func (c *Calltouch) count(f func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.stats)
}

// asked counts one request of the API and keeps the busiest second.
func (c *Calltouch) asked(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.API.Asked++
	first := 0
	for first < len(c.recent) && now.Sub(c.recent[first]) > time.Second {
		first++
	}
	c.recent = append(c.recent[first:], now)
	c.stats.API.Busiest = max(c.stats.API.Busiest, len(c.recent))
}

// schedule decides whether a new record is listed late, and whether it changes.
func (c *Calltouch) schedule(end time.Time) (listed, changed time.Time) {
	f := c.Faults()
	if c.chance(f.LateShare) {
		listed = end.Add(time.Duration(f.LateSeconds) * time.Second)
	}
	if c.chance(f.ChangeShare) {
		changed = end.Add(time.Hour)
	}
	return listed, changed
}

// unstable spells values of a record in other types, as answers of one method did within months.
func unstable(v any, r *rand.Rand) any {
	switch v := v.(type) {
	case bool:
		if r.IntN(2) == 0 {
			return []any{fmt.Sprint(v), map[bool]string{true: "True", false: "False"}[v], map[bool]int{true: 1}[v]}[r.IntN(3)]
		}
	case int, int64:
		if r.IntN(2) == 0 {
			return fmt.Sprint(v)
		}
	case map[string]any:
		for name, inner := range v {
			v[name] = unstable(inner, r)
		}
	case map[string]string:
		return attributeShape(v, r)
	case []any:
		for i := range v {
			v[i] = unstable(v[i], r)
		}
	}
	return v
}

// attributeShape spells attributes in one of the shapes in which clients of the API expect them.
func attributeShape(attrs map[string]string, r *rand.Rand) any {
	pairs := func(name, value string) any {
		list := []any{}
		for n, v := range attrs {
			list = append(list, map[string]string{name: n, value: v})
		}
		return list
	}
	switch r.IntN(5) {
	case 0:
		return pairs("name", "value")
	case 1:
		return pairs("key", "value")
	case 2:
		list := []any{}
		for n, v := range attrs {
			list = append(list, map[string]string{n: v})
		}
		return list
	case 3:
		return string(encode(attrs))
	}
	return attrs
}

// soil puts a raw control character into every text that holds a blank: no JSON, but seen.
func soil(record []byte) []byte {
	return bytes.ReplaceAll(record, []byte("Заявка "), []byte("Заявка\x01 \x0b"))
}

// errBadFaults reports shares that are no shares.
var errBadFaults = errors.New("shares lie between 0 and 1, seconds are not negative")

func (f Faults) check() error {
	for _, share := range []float64{f.DropHooks, f.RepeatHooks, f.TooMany, f.LimitText, f.Cut, f.LateShare, f.ChangeShare} {
		if share < 0 || share > 1 {
			return errBadFaults
		}
	}
	if f.LateSeconds < 0 {
		return errBadFaults
	}
	return nil
}
