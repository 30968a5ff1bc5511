package mindboxtest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Faults is how the server misbehaves. Chances are per cent of the valid requests and exclude
// each other; together they are at most 100. The zero value is a healthy server.
type Faults struct {
	Latency time.Duration // before every answer

	P500        float64       // 500 InternalServerError
	P429        float64       // 429 ProtocolError with Retry-After
	RetryAfter  time.Duration // whole seconds; 0 leaves the header out
	P400        float64       // 400 ProtocolError
	PValidation float64       // 200 ValidationError
	PEmpty      float64       // 200 without a body
	PHTML       float64       // 502 with a page instead of JSON, as from a proxy
	PHang       float64       // no answer for Hang, then a broken connection
	Hang        time.Duration
	PReset      float64 // a broken connection, nothing executed
	PLost       float64 // executed, then a broken connection

	OutageUntil time.Time // every request fails until then
	OutageMode  string    // a status (503 when empty), reset, hang or html
}

// Faults returns the present faults.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// SetFaults changes the faults for requests that arrive from now on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// outage is the answer to everything while there is one, else nil.
func (f Faults) outage(now time.Time) *Reply {
	if !now.Before(f.OutageUntil) {
		return nil
	}
	switch f.OutageMode {
	case "reset":
		return &Reply{Reset: true}
	case "hang":
		return &Reply{Delay: f.Hang, Reset: true}
	case "html":
		return pageReply()
	case "":
		return internalError(http.StatusServiceUnavailable)
	default:
		status, _ := strconv.Atoi(f.OutageMode) // checked where it was set
		if status < 500 {
			return protocolError(status, "outage")
		}
		return internalError(status)
	}
}

// roll draws a fault for this request, or nil.
func (f Faults) roll(seed uint64, r Request) *Reply {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", r.TransactionID, r.Attempt)
	if r.TransactionID == "" {
		_, _ = h.Write(r.Body)
	}
	left := rand.New(rand.NewPCG(seed, h.Sum64())).Float64() * 100
	hit := func(chance float64) bool { left -= chance; return left < 0 }
	switch {
	case hit(f.P500):
		return internalError(http.StatusInternalServerError)
	case hit(f.P429):
		return tooMany(f.RetryAfter)
	case hit(f.P400):
		return protocolError(http.StatusBadRequest, "/customer/mobilePhone: Поле должно быть заполнено.")
	case hit(f.PValidation):
		return &Reply{Body: `{"status":"ValidationError","validationMessages":[{"message":"Номер телефона указан некорректно.","location":"/customer/mobilePhone"}]}`}
	case hit(f.PEmpty):
		return &Reply{Status: http.StatusOK}
	case hit(f.PHTML):
		return pageReply()
	case hit(f.PHang):
		return &Reply{Delay: f.Hang, Reset: true}
	case hit(f.PReset):
		return &Reply{Reset: true}
	case hit(f.PLost):
		return &Reply{Execute: true, Reset: true}
	default:
		return nil
	}
}

// protocolError is Mindbox's answer to a request that it does not want repeated.
func protocolError(status int, text string) *Reply {
	return errorReply(status, "ProtocolError", text)
}

func internalError(status int) *Reply {
	return errorReply(status, "InternalServerError", "internal error")
}

func errorReply(status int, state, text string) *Reply {
	body, _ := json.Marshal(map[string]any{"status": state, "errorMessage": text, "httpStatusCode": status,
		"errorId": "00000000-0000-4000-8000-000000000000"})
	return &Reply{Status: status, Body: string(body)}
}

func tooMany(retryAfter time.Duration) *Reply {
	reply := protocolError(http.StatusTooManyRequests, "Rate limit exceeded")
	if seconds := int(retryAfter / time.Second); seconds > 0 {
		reply.Header = map[string]string{"Retry-After": strconv.Itoa(seconds)}
	}
	return reply
}

func pageReply() *Reply {
	return &Reply{Status: http.StatusBadGateway, Header: map[string]string{"Content-Type": "text/html"},
		Body: "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"}
}

// breakConnection ends a request without an answer: a TCP reset where HTTP/1 lets us.
func breakConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: the stream is reset
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// admin shows the faults, after setting those that the query or a form names.
func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	faults := s.Faults()
	if err := faults.Set(r.Form); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.SetFaults(faults)
	writeJSON(w, faults.show())
}

// Set changes the faults that values names, as in p500=10&latency=20ms&outage=30s: chances in
// per cent, durations as Go writes them, retryafter in seconds, outage from now on. An unknown
// name or a bad value is an error that names it.
func (f *Faults) Set(values url.Values) error {
	for name := range values {
		if err := f.set(name, values.Get(name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (f *Faults) chances() map[string]*float64 {
	return map[string]*float64{"p500": &f.P500, "p429": &f.P429, "p400": &f.P400, "pvalidation": &f.PValidation,
		"pempty": &f.PEmpty, "phtml": &f.PHTML, "phang": &f.PHang, "preset": &f.PReset, "plost": &f.PLost}
}

func (f *Faults) set(name, value string) (err error) {
	if chance, ok := f.chances()[name]; ok {
		*chance, err = strconv.ParseFloat(value, 64)
		if err == nil && (*chance < 0 || *chance > 100) {
			return fmt.Errorf("want per cent, 0 to 100")
		}
		return err
	}
	switch name {
	case "latency":
		f.Latency, err = time.ParseDuration(value)
	case "hang":
		f.Hang, err = time.ParseDuration(value)
	case "retryafter":
		var seconds int
		seconds, err = strconv.Atoi(value)
		f.RetryAfter = time.Duration(seconds) * time.Second
	case "outage":
		var d time.Duration
		d, err = time.ParseDuration(value)
		f.OutageUntil = time.Now().Add(d)
	case "outagemode":
		return f.setMode(value)
	default:
		return fmt.Errorf("no such fault")
	}
	return err
}

func (f *Faults) setMode(mode string) error {
	switch mode {
	case "reset", "hang", "html":
	default:
		if status, err := strconv.Atoi(mode); err != nil || status < 400 || status > 599 {
			return fmt.Errorf("want a status of 400 to 599, reset, hang or html")
		}
	}
	f.OutageMode = mode
	return nil
}

// show is the inverse of Set.
func (f Faults) show() map[string]any {
	out := map[string]any{"latency": f.Latency.String(), "hang": f.Hang.String(), "retryafter": int(f.RetryAfter / time.Second),
		"outage": max(0, time.Until(f.OutageUntil)).Round(time.Millisecond).String(), "outagemode": f.OutageMode}
	for name, chance := range f.chances() {
		out[name] = *chance
	}
	return out
}
