package hook

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/web"
)

// Limits of the server that takes hooks. Calltouch sends a hook in one go; who is slower holds a
// connection and nothing else.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second // header and body
	writeTimeout  = readTimeout + storeTimeout + 5*time.Second
	idleTimeout   = 15 * time.Second
)

// MaxHeader is the longest header that is read, and with it the longest hook by GET, which stands
// in the first line. An ended call has about 2.5 KB, and common proxies pass 8 to 32 KB.
const MaxHeader = 64 << 10

// NewServer returns the server for h with the limits that a Handler needs. It speaks HTTP/1.1
// alone: Calltouch asks for no more, and HTTP/2 is the larger part of what a stranger can attack.
// Listen on a listener of Bounded, so that connections are bounded too. net/http's own log is off:
// it names the addresses of strangers.
func NewServer(addr string, h http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Addr: addr, Handler: refuseTrailers(h),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes:               MaxHeader,
		Protocols:                    &protocols,
		DisableGeneralOptionsHandler: true,
		ConnContext:                  withConn,
		ConnState:                    connState,
		ErrorLog:                     log.New(io.Discard, "", 0),
	}
}

// refuseTrailers answers 400 to a request that announces trailers: no sender of hooks has any, and
// each announced name takes memory for as long as the request lasts.
func refuseTrailers(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connOf(r.Context()).begin()
		if r.Trailer != nil || r.Header["Trailer"] != nil {
			r.Trailer = nil
			w.Header().Set("Connection", "close")
			http.Error(w, "no trailers", http.StatusBadRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Bounds of the connections that strangers may hold. What is left zero has the default.
type Bounds struct {
	Connections int // in all; 512
	PerAddress  int // from one IPv4 address or one IPv6 /64; 128
	Unread      int // bytes of headers that have not come to an end, in all; 256 KB

	Proxies   []netip.Prefix // networks to which PerAddress does not apply: each connection is another sender's
	Malformed func()         // hears of each request that net/http could not read and refused itself
}

const (
	maxConnections = 512
	maxPerAddress  = 128
	// maxUnread is the headers of some eighty hooks that come at once, each of which is read within a moment. A
	// byte of header may take 40 of memory: each line, and each name of a trailer, becomes an entry
	// of a map.
	maxUnread = 256 << 10
	// largeHeader is more than a hook by GET has. Who guesses with one gets no answer.
	largeHeader = 8 << 10
	// evictedConnections and evictedHeaders are how much more may be there: what was evicted frees its
	// memory only when the processor gets round to it.
	evictedConnections = 64
	evictedHeaders     = 2 // times Bounds.Unread
)

// Bounded bounds the connections of a listener. For a connection too many another one is evicted, so that
// a hook is answered in the middle of a flood: of those that never brought a right key, the oldest one
// from the address that holds most; where headers take too much memory, the one with most of them. What
// brought a right key is closed only between two requests, and when nothing else is left.
func Bounded(l net.Listener, b Bounds) net.Listener {
	if b.Connections == 0 {
		b.Connections = maxConnections
	}
	if b.PerAddress == 0 {
		b.PerAddress = maxPerAddress
	}
	if b.Unread == 0 {
		b.Unread = maxUnread
	}
	if b.Malformed == nil {
		b.Malformed = func() {}
	}
	limited := &bounded{Listener: l, bounds: b, conns: map[*conn]struct{}{}, from: map[netip.Prefix]int{}}
	limited.left.L = &limited.mu
	return limited
}

// bounded is a listener with Bounds.
type bounded struct {
	net.Listener
	bounds Bounds

	mu     sync.Mutex
	conns  map[*conn]struct{}
	from   map[netip.Prefix]int // conns by network
	unread int                  // of all conns
	last   uint64               // number of the newest

	// What is there in truth: conns, and those that were evicted and have not gone.
	left    sync.Cond // something of it has become less
	present int
	held    int // bytes of their headers
	closed  bool
}

// Accept waits for a connection and makes room for it.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		b.waitForRoom()
		accepted, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := b.newConn(accepted)
		evicted, admitted := b.add(c)
		if evicted != nil {
			_ = evicted.Conn.Close()
		}
		if admitted {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// waitForRoom waits until those that were evicted have gone, but for a few: a busy processor may
// not get round to them, and meanwhile they take as much memory as ever.
func (b *bounded) waitForRoom() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed && (b.present >= b.bounds.Connections+evictedConnections || b.held > evictedHeaders*b.bounds.Unread) {
		b.left.Wait()
	}
}

// Close lets no more in.
func (b *bounded) Close() error {
	b.mu.Lock()
	b.closed = true
	b.left.Broadcast()
	b.mu.Unlock()
	return b.Listener.Close()
}

// newConn is a connection that the listener has accepted and not counted yet.
func (b *bounded) newConn(c net.Conn) *conn {
	address := web.ParseAddr(c.RemoteAddr().String())
	return &conn{Conn: c, listener: b, network: networkOf(address, 32), proxy: web.Within(address, b.bounds.Proxies)}
}

// networkOf is the network that one sender can be expected to hold: an IPv4 network of the given size,
// an IPv6 /64.
func networkOf(a netip.Addr, bits int) netip.Prefix {
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // invalid for an invalid address: those are one sender
	return p
}

// add counts a connection and returns the one that is evicted for it, nil where there is room. It is not
// admitted when none can be evicted.
func (b *bounded) add(c *conn) (evicted *conn, admitted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	crowded := b.from[c.network] >= b.bounds.PerAddress && !c.proxy
	if crowded || len(b.conns) >= b.bounds.Connections {
		if evicted = b.least(func(other *conn) bool { return !crowded || other.network == c.network }); evicted == nil {
			return nil, false
		}
		b.forget(evicted)
	}
	b.last++
	c.number = b.last
	b.conns[c] = struct{}{}
	b.from[c.network]++
	b.present++
	return evicted, true
}

// least finds the connection of the least rank among some; nil when all of them have a hook in hand.
func (b *bounded) least(of func(*conn) bool) *conn {
	var found *conn
	for c := range b.conns {
		if of(c) && c.rank() < inUse && (found == nil || b.less(c, found)) {
			found = c
		}
	}
	return found
}

// less reports whether c is to be evicted before another.
func (b *bounded) less(c, than *conn) bool {
	if one, other := c.rank(), than.rank(); one != other {
		return one < other
	}
	if one, other := b.from[c.network], b.from[than.network]; one != other {
		return one > other
	}
	return c.number < than.number
}

// forget takes a connection out of the count. The caller holds mu, and closes the connection after it.
func (b *bounded) forget(c *conn) {
	if _, here := b.conns[c]; !here {
		return
	}
	delete(b.conns, c)
	b.unread -= c.unread
	if b.from[c.network]--; b.from[c.network] == 0 {
		delete(b.from, c.network)
	}
}

// grown notes n more bytes of a header. It reports whether that has become large, and returns the
// connection that is evicted when all headers together have become too much.
func (b *bounded) grown(c *conn, n int) (evicted *conn, large bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, here := b.conns[c]; !here || c.trusted || c.busy {
		return nil, false
	}
	c.unread += n
	c.held += n
	b.held += n
	large = c.unread > largeHeader
	if b.unread += n; b.unread <= b.bounds.Unread {
		return nil, large
	}
	for other := range b.conns {
		if evicted == nil || other.unread > evicted.unread {
			evicted = other
		}
	}
	b.forget(evicted)
	return evicted, large
}
