package cluster_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// relay stands before a server's address for routes and can part it from the others.
type relay struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	all     bool            // nobody passes
	refused map[string]bool // names of servers whose routes do not pass
	open    map[net.Conn]string
}

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, target: target, refused: map[string]bool{}, open: map[net.Conn]string{}}
	t.Cleanup(func() {
		_ = l.Close()
		r.refuse(true, "")
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(c)
		}
	}()
	return r
}

func (r *relay) addr() string { return r.listener.Addr().String() }

// refuse ends the routes that a server has opened, or all with no name, and takes no more of them;
// off: it takes them again.
func (r *relay) refuse(off bool, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "" {
		r.all = off
	} else {
		r.refused[name] = off
	}
	for c, from := range r.open {
		if r.all || r.refused[from] {
			_ = c.Close()
		}
	}
}

// pass carries one route. Who has opened it says so in the first lines that it sends.
func (r *relay) pass(from net.Conn) {
	defer func() { _ = from.Close() }()
	to, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	if !r.register(from, "") {
		return
	}
	defer r.unregister(from)
	go func() {
		copyAll(from, to, func([]byte) bool { return true })
		_ = from.Close()
	}()
	var head []byte
	copyAll(to, from, func(b []byte) bool {
		if len(head) > 16<<10 {
			return true
		}
		head = append(head, b...)
		for _, name := range []string{"n1", "n2", "n3"} {
			if bytes.Contains(head, []byte(`"server_name":"`+name+`"`)) || bytes.Contains(head, []byte(`"name":"`+name+`"`)) {
				head = make([]byte, 17<<10)
				return r.register(from, name)
			}
		}
		return true
	})
}

// register remembers a route and whose it is; false when it does not pass.
func (r *relay) register(c net.Conn, name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[c] = name
	return !r.all && !r.refused[name]
}

func (r *relay) unregister(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
}

// copyAll carries what from says to to, as long as look agrees.
func copyAll(to, from net.Conn, look func([]byte) bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !look(buffer[:n]) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
