package embedded

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"github.com/touchbox/touchbox/pkg/queue"
)

// listen serves other processes on the socket. One that is left over from a killed process goes:
// we hold the lock, so nobody serves it.
func (s *Server) listen() error {
	path, err := queue.SocketPath(Socket(s.c.Dir))
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
	s.serving.Go(s.accept)
	return nil
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() { s.relay(c) })
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
