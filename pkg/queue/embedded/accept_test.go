package embedded

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// tired is a listener that fails a few times before each connection.
type tired struct {
	net.Listener
	failures atomic.Int64
}

func (l *tired) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// A process that is out of descriptors serves its socket again when it has some; only the end of the
// listener ends it.
func TestAcceptGoesOnBehindErrors(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &tired{Listener: inner}
	l.failures.Store(5)
	s := &Server{c: Config{Log: zerolog.Nop()}}
	ended := make(chan struct{})
	go func() { defer close(ended); s.accept(l) }()
	c, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// There is no server behind it: whoever is taken is hung up on.
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, syscall.ETIMEDOUT) || l.failures.Load() >= 0 {
		t.Errorf("not taken: %v, failures left %d", err, l.failures.Load())
	}
	select {
	case <-ended:
		t.Error("it has ended at an error")
	default:
	}
	_ = inner.Close()
	<-ended
}
