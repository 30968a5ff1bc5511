package hook

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// conn is one connection of a bounded listener, with what decides whether it may stay. A nil one does
// nothing.
type conn struct {
	net.Conn
	listener *bounded
	network  netip.Prefix
	proxy    bool   // a trusted proxy's: each of its connections is another sender's
	number   uint64 // in the order of arrival

	// Of listener.mu:
	unread  int  // bytes of a header that has not come to an end
	header  int  // bytes of the header of the request in hand
	held    int  // bytes of headers that take memory now
	gone    bool // net/http has done with it
	asked   bool // net/http has read a request, or given up on it, and it is not answered
	busy    bool // a handler has the request
	trusted bool // it has brought a right key
}

// Ranks of a connection: the least is evicted first, inUse never.
const (
	unproven = iota // it has brought no right key, whatever it does just now
	idle            // trusted, between two hooks
	inUse           // a hook with the right key is in hand
)

func (c *conn) rank() int {
	switch {
	case c.trusted && c.busy:
		return inUse
	case c.trusted:
		return idle
	}
	return unproven
}

// largePause is between two reads, of 4 KB each, of a large header. A hook of 60 KB by GET comes
// later by half a second, and hundreds of attackers leave the processor to others.
const largePause = 40 * time.Millisecond

// Read counts what comes.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	evicted, large := c.listener.grown(c, n)
	if evicted != nil {
		_ = evicted.Conn.Close()
	}
	if large {
		time.Sleep(largePause)
	}
	return n, err
}

// refusalSize is less than each of net/http's own refusals and more than the goodbye of TLS.
const refusalSize = 64

// Write finds the refusals that net/http writes by itself, without asking a handler.
func (c *conn) Write(p []byte) (int, error) {
	c.listener.mu.Lock()
	refused := c.asked && !c.busy && len(p) > refusalSize
	if refused {
		c.asked = false
	}
	c.listener.mu.Unlock()
	if refused {
		c.listener.bounds.Malformed()
	}
	return c.Conn.Write(p)
}

// Close closes the connection and makes room for another.
func (c *conn) Close() error {
	c.note(func() {
		c.listener.forget(c)
		if !c.gone {
			c.gone = true
			c.listener.present--
		}
		c.release()
	})
	return c.Conn.Close()
}

// CloseWrite lets net/http end its answer before it closes, so that the answer arrives.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// read notes that net/http has done with reading a request.
func (c *conn) read() { c.note(func() { c.asked = true }) }

// begin notes that a handler has the request: its header has come to an end.
func (c *conn) begin() { c.note(func() { c.busy, c.header = true, c.unread; c.uncountHeader() }) }

// end notes that the request is answered.
func (c *conn) end() { c.note(func() { c.busy, c.asked = false, false; c.release() }) }

// trust notes that the request has a right key: the connection may stay when others have to go.
func (c *conn) trust() { c.note(func() { c.trusted = true; c.uncountHeader(); c.release() }) }

// large reports whether the request in hand takes much memory for its header alone.
func (c *conn) large() (large bool) {
	c.note(func() { large = c.header > largeHeader })
	return large
}

// release notes that its headers take no memory any more. The caller holds mu.
func (c *conn) release() {
	c.listener.held -= c.held
	c.held = 0
	c.listener.left.Signal()
}

// uncountHeader takes the header out of the count. The caller holds mu.
func (c *conn) uncountHeader() {
	if _, here := c.listener.conns[c]; here {
		c.listener.unread -= c.unread
	}
	c.unread = 0
}

func (c *conn) note(change func()) {
	if c == nil {
		return
	}
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	change()
}

type connKey struct{}

// withConn puts the connection into the context of its requests, for connOf.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, connBelow(c))
}

// connOf is the connection of a request; nil where the listener is not Bounded.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}

// connState is http.Server.ConnState: it notes what net/http does with a connection.
func connState(c net.Conn, state http.ConnState) {
	switch below := connBelow(c); state {
	case http.StateIdle:
		below.end()
	case http.StateActive:
		below.read()
	}
}

// connBelow finds the bounded connection, below TLS where there is any; nil when there is none.
func connBelow(over net.Conn) *conn {
	if tls, ok := over.(interface{ NetConn() net.Conn }); ok {
		over = tls.NetConn()
	}
	c, _ := over.(*conn)
	return c
}
