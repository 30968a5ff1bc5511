package calltouchtest

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The date formats of the two methods: each has its own.
const (
	requestsDate = "01/02/2006"
	journalDate  = "02/01/2006"
)

// maxPage is the most records that one page of the journal may hold.
const maxPage = 1000

func (c *Calltouch) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /calls-service/RestAPI/requests", c.serveRequests)
	mux.HandleFunc("GET /calls-service/RestAPI/requests/{$}", c.serveRequests)
	mux.HandleFunc("GET /calls-service/RestAPI/{site}/calls-diary/calls", c.serveJournal)
	mux.HandleFunc("GET /stats", c.serveStats)
	mux.HandleFunc("GET /control", c.serveControl)
	mux.HandleFunc("POST /control", c.serveControl)
	return mux
}

// lister makes one record; nil for one that is not listed.
type lister struct {
	n      int
	record func(i int) map[string]any
}

// serveRequests lists form requests: one bare array, dates as mm/dd/yyyy.
func (c *Calltouch) serveRequests(w http.ResponseWriter, r *http.Request) {
	if !c.admit(w, r, r.FormValue("siteId")) {
		return
	}
	from, to, err := span(r, requestsDate)
	if err != nil {
		c.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	_, all := c.snapshot()
	now := c.cfg.Now()
	parts := Parts{Attrs: isTrue(r, "withAttrs"), Tags: isTrue(r, "withRequestTags")}
	c.answer(w, "[", "]", lister{len(all), func(i int) map[string]any {
		if req := all[i]; c.listed(req.Created, req.Listed, now) && c.within(req.Created, from, to) {
			return c.requestRecord(req, now, parts)
		}
		return nil
	}})
}

// serveJournal lists calls, dates as dd/mm/yyyy: a bare array for a single day, pages otherwise.
func (c *Calltouch) serveJournal(w http.ResponseWriter, r *http.Request) {
	if !c.admit(w, r, r.PathValue("site")) {
		return
	}
	from, to, err := span(r, journalDate)
	paged := r.FormValue("page") != "" || r.FormValue("limit") != ""
	if err == nil && !paged && from != to {
		err = fmt.Errorf("more than a day: use page and limit")
	}
	if err != nil {
		c.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	var calls []Call
	all, _ := c.snapshot()
	now := c.cfg.Now()
	for _, call := range all {
		if c.listed(call.Start, call.Listed, now) && c.within(call.Start, from, to) {
			calls = append(calls, call)
		}
	}
	head, tail := "[", "]"
	if paged {
		calls, head = page(calls, r)
		tail = "]}"
	}
	parts := Parts{Attrs: isTrue(r, "withAttrs"), Tags: isTrue(r, "withCallTags"), Orders: isTrue(r, "withOrders")}
	model := r.FormValue("attribution")
	c.answer(w, head, tail, lister{len(calls), func(i int) map[string]any {
		call := calls[i]
		if model == "0" || model == "1" {
			call.Attribution = int(model[0] - '0')
		}
		return c.record(call, now, parts)
	}})
}

// page cuts the asked page out and returns the head of the answer.
func page(calls []Call, r *http.Request) ([]Call, string) {
	limit, _ := strconv.Atoi(r.FormValue("limit"))
	number, _ := strconv.Atoi(r.FormValue("page"))
	if limit < 1 || limit > maxPage {
		limit = maxPage
	}
	number = max(number, 1)
	pages := (len(calls) + limit - 1) / limit
	head := fmt.Sprintf(`{"page":%d,"pageTotal":%d,"pageSize":%d,"recordsTotal":%d,"records":[`, number, pages, limit, len(calls))
	first := min((number-1)*limit, len(calls))
	return calls[first:min(first+limit, len(calls))], head
}

// admit refuses what is to be refused: by the faults, for the token, for the site.
func (c *Calltouch) admit(w http.ResponseWriter, r *http.Request, site string) bool {
	c.asked(c.cfg.Now())
	f, token := c.Faults(), r.FormValue("clientApiId")
	switch {
	case f.APIOutage:
		c.refuse(w, http.StatusInternalServerError, "Internal error")
	case f.RefuseToken || token == "" || (c.cfg.Token != "" && token != c.cfg.Token):
		c.refuse(w, http.StatusUnauthorized, "Wrong clientApiId")
	case c.chance(f.TooMany):
		w.Header().Set("Retry-After", "1")
		c.refuse(w, http.StatusTooManyRequests, "Too many requests")
	case c.chance(f.LimitText):
		c.refuse(w, http.StatusForbidden, "Requests limit is exceeded")
	case site != c.cfg.Site:
		c.refuse(w, http.StatusForbidden, "Access to the site is denied")
	default:
		return true
	}
	return false
}

// refuse answers with a message where Calltouch puts it: at the top for 403 and 500, nested
// otherwise.
func (c *Calltouch) refuse(w http.ResponseWriter, status int, message string) {
	c.count(func(s *Stats) { s.API.Refused++ })
	body := map[string]any{"message": message}
	if status != http.StatusForbidden && status != http.StatusInternalServerError {
		body = map[string]any{"data": map[string]any{"apiErrorData": map[string]any{"errorCode": status, "errorMessage": message}}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

// answer writes the records one by one, so that a long day needs no memory, and breaks off after
// half of them when the faults say so.
func (c *Calltouch) answer(w http.ResponseWriter, head, tail string, l lister) {
	f := c.Faults()
	stop := l.n + 1
	if c.chance(f.Cut) {
		stop = l.n / 2
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	out := bufio.NewWriterSize(w, 32<<10)
	_, _ = out.WriteString(head)
	written := 0
	for i := range l.n {
		if i == stop {
			break
		}
		m := l.record(i)
		if m == nil {
			continue
		}
		if written++; written > 1 {
			_ = out.WriteByte(',')
		}
		if _, err := out.Write(c.spell(m, f)); err != nil {
			return
		}
	}
	if stop <= l.n {
		c.count(func(s *Stats) { s.API.Cut++ })
		_ = out.Flush()
		panic(http.ErrAbortHandler) // the one way to end a chunked answer without its end
	}
	_, _ = out.WriteString(tail)
	if out.Flush() != nil {
		return
	}
	c.count(func(s *Stats) { s.API.Answered++; s.API.Records += int64(written) })
}

func (c *Calltouch) spell(m map[string]any, f Faults) []byte {
	if f.Unstable {
		c.mu.Lock()
		m = unstable(m, c.dice).(map[string]any)
		c.mu.Unlock()
	}
	b := encode(m)
	if f.ControlChars {
		b = soil(b)
	}
	return b
}

// listed reports whether the API shows at now what began at start.
func (c *Calltouch) listed(start, from, now time.Time) bool {
	if c.Faults().ListTomorrow {
		now = now.Add(24 * time.Hour)
	}
	return !start.After(now) && !from.After(now)
}

// within reports whether t lies in the days from and to, both included, on the cabinet's clock.
// An answer that lists tomorrow has one day more.
func (c *Calltouch) within(t time.Time, from, to day) bool {
	if c.Faults().ListTomorrow {
		to++
	}
	d := dayOf(t.In(c.cfg.Location))
	return from <= d && d <= to
}

// day counts calendar days; it has no zone.
type day int64

func dayOf(t time.Time) day {
	y, m, d := t.Date()
	return day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

func span(r *http.Request, format string) (from, to day, err error) {
	f, err1 := time.Parse(format, r.FormValue("dateFrom"))
	t, err2 := time.Parse(format, r.FormValue("dateTo"))
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("dateFrom and dateTo: want %s", format)
	}
	return dayOf(f), dayOf(t), nil
}

func isTrue(r *http.Request, name string) bool {
	v := r.FormValue(name)
	return v == "true" || v == "1"
}
