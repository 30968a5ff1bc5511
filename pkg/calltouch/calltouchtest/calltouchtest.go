// Package calltouchtest is a simulated Calltouch: a cabinet full of invented calls and form
// requests, the webhooks that tell of them, and the two API methods that list them.
//
// It is part of the product: `touchbox demo` and `touchbox simulate calltouch` run it, so that a
// person can try links without an account, and the tests of Touchbox run against it. It forgets,
// repeats and fails on request (Faults), keeps count on its own side (Stats) and speaks with all
// the oddities that were seen in the real answers: two date formats, 19-digit ids, types that
// change from answer to answer, a session time on a 12-hour clock, addresses with /32.
//
//	c := calltouchtest.New(calltouchtest.Config{Seed: 1})
//	api := httptest.NewServer(c)                      // both API methods, /stats and /control
//	c.Send(ctx, calltouchtest.Sending{URL: hook, Count: 100})
//
// Whatever it makes is a function of the seed and the id: the same configuration gives the same
// people. The package imports nothing of Touchbox but its defaults, so that a mistake there cannot hide here.
package calltouchtest

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/defaults"
)

// Config says what cabinet to simulate. The zero value works.
type Config struct {
	Site      string           // cabinet id; "" = 10001
	SiteName  string           // "" = clinic.example
	Seed      uint64           // another seed, other people
	FirstID   int64            // id of the first call and of the first request; 0 = 150001
	Token     string           // the API token that is accepted; "" = any but none
	Attribute string           // the attribute that holds the device id; "" = mindboxDeviceUUID
	Location  *time.Location   // zone of the cabinet; nil = UTC+3, as in all real samples
	Now       func() time.Time // nil = time.Now
	HTTP      *http.Client     // sends the webhooks; nil = one with a time limit of 10 s
	Faults    Faults           // to begin with
}

// Calltouch is one simulated cabinet. Its methods may be used at the same time.
type Calltouch struct {
	cfg Config
	mux *http.ServeMux

	mu       sync.Mutex
	calls    []Call
	requests []FormRequest
	nextID   int64
	faults   Faults
	dice     *rand.Rand
	stats    Stats
	recent   []time.Time // API requests of the last second, for Stats.API.Busiest
}

// New returns an empty cabinet. Fill it with Populate, Add, or Send.
func New(cfg Config) *Calltouch {
	cfg = cfg.withDefaults()
	c := &Calltouch{
		cfg: cfg, nextID: cfg.FirstID, faults: cfg.Faults,
		dice:  rand.New(rand.NewPCG(cfg.Seed, 1)),
		stats: Stats{Sorts: map[Sort]int{}},
	}
	c.mux = c.routes()
	return c
}

func (cfg Config) withDefaults() Config {
	if cfg.Site == "" {
		cfg.Site = "10001"
	}
	if cfg.SiteName == "" {
		cfg.SiteName = "clinic.example"
	}
	if cfg.FirstID == 0 {
		cfg.FirstID = 150001
	}
	if cfg.Attribute == "" {
		cfg.Attribute = defaults.Device
	}
	if cfg.Location == nil {
		cfg.Location = time.FixedZone("UTC+3", 3*60*60)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	return cfg
}

// ServeHTTP answers both API methods, GET /stats, and GET and POST /control.
func (c *Calltouch) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

// Add puts a call into the cabinet, sending nothing.
func (c *Calltouch) Add(call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
	c.stats.Calls++
	c.stats.Sorts[call.Sort]++
}

// AddRequest puts a form request into the cabinet, sending nothing.
func (c *Calltouch) AddRequest(r FormRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	c.stats.Requests++
	c.stats.Sorts[r.Sort]++
}

// Populate fills the cabinet with n calls and form requests, in the usual mixture, spread evenly
// from one moment to the other, sending nothing.
func (c *Calltouch) Populate(n int, from, to time.Time) {
	for i := range n {
		at := from.Add(to.Sub(from) * time.Duration(i) / time.Duration(n)).Truncate(time.Second)
		id := c.takeID()
		sort := c.pick(id)
		switch {
		case sort == Ping || sort == Empty:
			c.Add(c.NewCall(Dynamic, id, at))
		case sort.isRequest():
			c.AddRequest(c.NewRequest(sort, id, at))
		default:
			c.Add(c.NewCall(sort, id, at))
		}
	}
}

// Calls returns a copy of all calls of the cabinet.
func (c *Calltouch) Calls() []Call {
	calls, _ := c.snapshot()
	return slices.Clone(calls)
}

// Requests returns a copy of all form requests of the cabinet.
func (c *Calltouch) Requests() []FormRequest {
	_, requests := c.snapshot()
	return slices.Clone(requests)
}

// snapshot is what is in the cabinet now. Both lists only ever grow, so they may be read without
// the lock.
func (c *Calltouch) snapshot() ([]Call, []FormRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls, c.requests
}

func (c *Calltouch) takeID() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.nextID
	c.nextID++
	return id
}

// chance throws the dice: true in the given share of throws.
func (c *Calltouch) chance(share float64) bool {
	if share <= 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dice.Float64() < share
}

func (c *Calltouch) serveStats(w http.ResponseWriter, _ *http.Request) { writeJSON(w, c.Stats()) }

// serveControl shows the faults, and changes those that a POST names.
func (c *Calltouch) serveControl(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		if err := c.change(http.MaxBytesReader(w, r.Body, maxControl)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	writeJSON(w, c.Faults())
}

// maxControl bounds the body of a POST /control, in bytes.
const maxControl = 64 << 10

// change changes the faults that a JSON object names.
func (c *Calltouch) change(body io.Reader) error {
	f := c.Faults()
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(&f)
	if err == nil {
		err = f.check()
	}
	if err == nil {
		c.SetFaults(f)
	}
	return err
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the client is gone
}

// Memory is an http.RoundTripper that hands requests to a handler without a network. The answer
// is streamed as over a connection; a handler that aborts (http.ErrAbortHandler) cuts it. Nothing
// of it touches a socket, so it runs under testing/synctest.
type Memory struct {
	Handler http.Handler
}

// RoundTrip implements http.RoundTripper.
func (m Memory) RoundTrip(r *http.Request) (*http.Response, error) {
	read, write := io.Pipe()
	a := &answer{header: http.Header{}, begun: make(chan struct{}), body: write}
	go func() {
		defer func() {
			end := io.EOF
			if recover() != nil {
				end = io.ErrUnexpectedEOF
			}
			a.WriteHeader(http.StatusOK)
			write.CloseWithError(end)
		}()
		m.Handler.ServeHTTP(a, r)
	}()
	select {
	case <-a.begun:
	case <-r.Context().Done():
		read.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, Body: read, ContentLength: -1, Request: r,
	}, nil
}

// answer is the http.ResponseWriter of a Memory.
type answer struct {
	header, sent http.Header
	status       int
	once         sync.Once
	begun        chan struct{}
	body         *io.PipeWriter
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.begun)
	})
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}
