package calltouchtest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Sending says what hooks to send and where. Only URL is required.
type Sending struct {
	URL     string        // the whole address of the webhook, secret and all
	Method  string        // GET or POST; "" = POST
	Rate    float64       // new calls and form requests a second; 0 = as fast as the answers come
	Count   int           // how many of them; 0 = until the context ends
	Workers int           // hooks in flight at most; 0 = 8
	Ended   bool          // send the end hook of a call only
	Sorts   []Sort        // take these in turn; none = the usual mixture
	Seen    func(Sent)    // called for each hook sent or dropped, from several goroutines; may be nil
	Long    time.Duration // how long a Long call goes on; 0 = its own duration
}

// Sent is what became of one hook.
type Sent struct {
	Hook    Hook
	Dropped bool
	Status  int // of the answer; 0 when there was none
}

// Send invents calls and form requests, puts them into the cabinet and sends their hooks, until
// Count are made or ctx ends; then it waits for the hooks in flight. A call has just ended when
// its hooks go, a Long one has just begun and ends later.
func (c *Calltouch) Send(ctx context.Context, s Sending) {
	work := make(chan func())
	var crew, later sync.WaitGroup
	if s.Workers == 0 {
		s.Workers = 8
	}
	for range s.Workers {
		crew.Go(func() {
			for f := range work {
				f()
			}
		})
	}
	start := time.Now()
	for i := 0; s.Count == 0 || i < s.Count; i++ {
		if !pace(ctx, start, i, s.Rate) {
			break
		}
		id := c.takeID()
		sort := c.pick(id)
		if len(s.Sorts) > 0 {
			sort = s.Sorts[i%len(s.Sorts)]
		}
		hooks, end := c.happen(sort, id, s)
		work <- func() { c.sendAll(ctx, s, hooks) }
		if end != nil {
			later.Go(func() { c.sendEnd(ctx, s, *end) })
		}
	}
	close(work)
	crew.Wait()
	later.Wait()
}

// happen lets one thing happen in the cabinet now and returns the hooks that tell of it; of a
// call that goes on also the call itself, whose end hook is to come.
func (c *Calltouch) happen(sort Sort, id int64, s Sending) (hooks []Hook, end *Call) {
	now := c.cfg.Now().Truncate(time.Second)
	switch {
	case sort == Ping:
		return []Hook{PingHook()}, nil
	case sort == Empty:
		return []Hook{EmptyHook()}, nil
	case sort.isRequest():
		r := c.NewRequest(sort, id, now)
		r.Listed, r.Changed = c.schedule(r.Created)
		c.AddRequest(r)
		return []Hook{c.RequestHook(r)}, nil
	}
	call := c.NewCall(sort, id, now)
	if sort == Long {
		if s.Long > 0 {
			call.Waiting, call.Duration = 0, int(s.Long/time.Second)
		}
		end = &call
	} else {
		call.Start = now.Add(call.Start.Sub(call.End()))
	}
	call.Listed, call.Changed = c.schedule(call.End())
	c.Add(call)
	if !s.Ended {
		hooks = append(hooks, c.StartHook(call))
	}
	if end == nil {
		hooks = append(hooks, c.EndHook(call))
	}
	return hooks, end
}

// sendEnd sends the end hook of a call when the call is over.
func (c *Calltouch) sendEnd(ctx context.Context, s Sending, call Call) {
	select {
	case <-ctx.Done():
	case <-time.After(call.End().Sub(c.cfg.Now())):
		c.sendAll(ctx, s, []Hook{c.EndHook(call)})
	}
}

// sendAll sends hooks in their order, dropping and repeating as the faults say.
func (c *Calltouch) sendAll(ctx context.Context, s Sending, hooks []Hook) {
	for _, h := range hooks {
		f := c.Faults()
		if f.NoHooks || c.chance(f.DropHooks) {
			c.count(func(st *Stats) { st.Hooks.Dropped++ })
			s.tell(Sent{Hook: h, Dropped: true})
			continue
		}
		s.tell(Sent{Hook: h, Status: c.SendHook(ctx, s, h)})
		if c.chance(f.RepeatHooks) {
			c.count(func(st *Stats) { st.Hooks.Repeated++ })
			s.tell(Sent{Hook: h, Status: c.SendHook(ctx, s, h)})
		}
	}
}

func (s Sending) tell(sent Sent) {
	if s.Seen != nil {
		s.Seen(sent)
	}
}

// SendHook sends one hook, once, and returns the status of the answer, 0 when there was none.
// Of s it uses URL and Method. The end of ctx does not break off a hook that is on its way.
func (c *Calltouch) SendHook(ctx context.Context, s Sending, h Hook) int {
	status := c.post(context.WithoutCancel(ctx), s, h)
	c.count(func(st *Stats) {
		st.Hooks.Sent++
		st.Hooks.NoEvent += boolInt(h.ID == 0)
		st.Hooks.Accepted += boolInt(status == http.StatusOK)
		st.Hooks.Failed += boolInt(status != http.StatusOK)
	})
	return status
}

func (c *Calltouch) post(ctx context.Context, s Sending, h Hook) int {
	req, err := hookRequest(ctx, s, h)
	if err != nil {
		return 0
	}
	resp, err := c.cfg.HTTP.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection is reused
	return resp.StatusCode
}

func hookRequest(ctx context.Context, s Sending, h Hook) (*http.Request, error) {
	if s.Method != http.MethodGet {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, strings.NewReader(h.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" && len(h.Pairs) > 0 {
		u.RawQuery += "&"
	}
	u.RawQuery += h.Encode()
	return http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
}

// pace waits for the turn of number i; false when ctx ended.
func pace(ctx context.Context, start time.Time, i int, rate float64) bool {
	if rate <= 0 {
		return ctx.Err() == nil
	}
	due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Until(due)):
		return true
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
