package embedded

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// listen serves other processes on the socket. One that is left over from a killed process goes:
// we hold the lock, so nobody serves it.
func (s *Server) listen() error {
	path, err := jet.SocketPath(Socket(s.c.Dir))
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("remove the old socket: %w", err)
	}
	err = private(func() (err error) {
		s.listener, err = net.Listen("unix", path)
		return err
	})
	if err != nil {
		return fmt.Errorf("socket of the embedded server: %w", err)
	}
	s.serving.Go(func() { s.accept(s.listener) })
	return nil
}

// A listener that cannot accept, because the process has as many files open as it may, is asked again
// after a pause that grows from the first to the second; acceptTells is how often that is logged.
const (
	acceptPause = 5 * time.Millisecond
	acceptMost  = time.Second
	acceptTells = time.Minute
)

// accept serves until the listener is closed: nobody would open the socket again.
func (s *Server) accept(listener net.Listener) {
	var pause time.Duration
	var told time.Time
	for {
		c, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			pause = 0
			s.serving.Go(func() { s.relay(c) })
			continue
		}
		if time.Since(told) >= acceptTells {
			told = time.Now()
			s.c.Log.Error().Err(err).Msg("the socket for the other commands takes no connections just now; if too many files are open, raise the limit or look who connects to the webhooks")
		}
		pause = min(max(2*pause, acceptPause), acceptMost)
		time.Sleep(pause)
	}
}

// relay copies bytes between a client and the server until either ends.
func (s *Server) relay(client net.Conn) {
	inside, err := s.Conn()
	if err != nil {
		_ = client.Close()
		return
	}
	var both sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_ = to.Close()
		_ = from.Close()
	}
	both.Go(func() { pass(inside, client) })
	both.Go(func() { pass(client, inside) })
	both.Wait()
}
