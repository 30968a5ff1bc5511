package calltouch

import (
	"io"
	"log"
	"net/http"
	"time"
)

// Limits of the server that takes hooks. Calltouch sends a hook in one go; who is slower holds a
// connection and nothing else.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second // header and body
	writeTimeout  = readTimeout + storeTimeout + 5*time.Second
	idleTimeout   = 90 * time.Second
	maxHeader     = MaxBody + 64<<10 // a GET carries the hook in its first line
)

// NewServer returns the server for h with the limits that a Handler needs. net/http's own log is
// off: it names the addresses of strangers.
func NewServer(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr: addr, Handler: h,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
}
