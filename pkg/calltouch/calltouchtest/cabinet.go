package calltouchtest

import (
	"fmt"
	"strconv"
	"time"
)

// Call is one call of the cabinet, before anybody spells it as a hook or as a record.
type Call struct {
	Sort        Sort
	ID          int64
	Start       time.Time // in whole seconds
	Waiting     int       // seconds until somebody answered
	Duration    int       // seconds of talk; below zero for Negative
	Caller      string    // as Calltouch spells it: digits, "" when hidden
	Number      string    // the tracked number that was dialled
	Redirect    string    // where the call went
	Answered    bool
	Target      bool
	Unique      bool
	Pool        string // dynamic, staticOffline, "" for the widget
	SubPool     string
	Attribution int               // 1 last non-direct, 0 last
	Session     *Session          // nil for a static number
	Tags        map[string]string // of hooks' names (tags_auto_gr, ...) and comma lists
	Manager     string
	Order       int64     // 0 = none
	Listed      time.Time // the API lists it from then on; zero = at once
	Changed     time.Time // from then on it is tagged by hand and a target call; zero = never
}

// End is when the call was over.
func (c Call) End() time.Time {
	return c.Start.Add(time.Duration(c.Waiting+max(c.Duration, 0)) * time.Second)
}

// at is the call as it stands at now.
func (c Call) at(now time.Time) Call {
	if !c.Changed.IsZero() && !now.Before(c.Changed) {
		c.Target, c.Tags = true, map[string]string{"tags_manual": "проверено,повторный"}
	}
	return c
}

// FormRequest is one form request of the cabinet.
type FormRequest struct {
	Sort        Sort
	ID          int64
	Created     time.Time // in whole seconds
	Subject     string
	Name        string
	Phone       string // as the visitor typed it
	Email       string // only the API tells it
	Comment     string // only the API tells it
	Unique      bool
	Target      bool
	Attribution int
	Session     *Session // nil when a program created it
	Tags        map[string]string
	Manager     string
	Listed      time.Time // the API lists it from then on; zero = at once
	Changed     time.Time // from then on it is commented, tagged and a target; zero = never
}

// at is the request as it stands at now.
func (r FormRequest) at(now time.Time) FormRequest {
	if !r.Changed.IsZero() && !now.Before(r.Changed) {
		r.Target, r.Comment, r.Manager = true, "перезвонили, записан", "Оператор 2"
	}
	return r
}

// firstNumber and staticNumber are the tracked numbers; the last digit varies.
const (
	dynamicNumber = "7812000001"
	staticNumber  = "7812000002"
)

// NewCall invents the call of this sort and id. It is not in the cabinet yet: see Add.
func (c *Calltouch) NewCall(sort Sort, id int64, start time.Time) Call {
	r := c.random(id, 1)
	call := Call{
		Sort: sort, ID: id, Start: start.Truncate(time.Second), Waiting: 1 + r.IntN(15), Duration: 20 + r.IntN(200),
		Caller: c.phone(id), Number: dynamicNumber + strconv.Itoa(r.IntN(10)), Redirect: "78120000031",
		Answered: true, Target: r.IntN(2) == 0, Unique: r.IntN(3) > 0, Pool: "dynamic", SubPool: "Остальные",
		Attribution: 1, Tags: map[string]string{},
	}
	if sort.session() {
		call.Session = c.newSession(id, call.Start, sort != NoCookie)
	}
	if r.IntN(3) == 0 {
		call.Tags["tags_auto_gr"] = "новый клиент,длинный разговор"
	}
	if r.IntN(5) == 0 {
		call.Tags["tags_manual"] = "запись"
	}
	if r.IntN(8) == 0 {
		call.Manager, call.Order = "Оператор 1", 9000+id%1000
	}
	call.become(sort, r.IntN(10))
	return call
}

// become changes what is particular about the sort; variant is 0 to 9.
func (c *Call) become(sort Sort, variant int) {
	switch sort {
	case Static:
		c.Number = staticNumber + strconv.Itoa(variant)
		c.Pool, c.SubPool, c.Attribution = "staticOffline", c.Number, 1
	case CallBack:
		c.Pool = ""
	case Missed:
		c.Answered, c.Target, c.Duration = false, false, 0
	case Short:
		c.Duration, c.Target = 1+variant/2, false
	case Foreign:
		c.Caller = []string{"375291234567", "998901234567", "4915112345678"}[variant%3]
	case Hidden:
		c.Caller = []string{"", "anonymous"}[variant%2]
	case Internal:
		c.Caller = "10" + strconv.Itoa(variant)
	case Negative:
		c.Duration = -30
	case Long:
		c.Duration = 10 + variant
	}
}

// NewRequest invents the form request of this sort and id. It is not in the cabinet yet: see
// AddRequest.
func (c *Calltouch) NewRequest(sort Sort, id int64, created time.Time) FormRequest {
	r := c.random(id, 2)
	req := FormRequest{
		Sort: sort, ID: id, Created: created.Truncate(time.Second),
		Subject: subjects[r.IntN(len(subjects))], Name: personName(r), Phone: c.phone(id + 5_000_000),
		Email: fmt.Sprintf("client%d@mail.example", id), Comment: "Удобно после шести",
		Unique: r.IntN(2) == 0, Target: r.IntN(2) == 0, Attribution: 1, Tags: map[string]string{},
	}
	if sort.session() {
		req.Session = c.newSession(id, req.Created, r.IntN(5) > 0)
	}
	if sort == Formatted {
		p := req.Phone
		req.Phone = fmt.Sprintf("8 (%s) %s-%s-%s", p[1:4], p[4:7], p[7:9], p[9:11])
	}
	if r.IntN(3) == 0 {
		req.Tags["tags_request"] = "акция"
	}
	return req
}
