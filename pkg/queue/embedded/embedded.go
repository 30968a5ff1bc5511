// Package embedded runs the NATS server with JetStream inside this process, for `touchbox up`, for
// the demo and for tests.
//
// Its store lies in a directory that only one process may use. Every write is synced before it is
// acknowledged. It opens no TCP port: this process connects through Conn, others through a unix
// socket that only the same user may open.
package embedded

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"
)

// Config of the server.
type Config struct {
	Dir      string // of the store; created when missing
	MaxStore int64  // bytes that JetStream may use; 0 means 20 GB, twice the default of keep.disk
	Socket   bool   // serve other processes of this user on Dir/nats.sock
	Log      zerolog.Logger
}

const (
	defaultMaxStore = 20_000_000_000
	lockName        = "touchbox.lock"
	socketName      = "nats.sock"
)

// startTimeout bounds the start. After a kill 5 million events take 17 s.
const startTimeout = 3 * time.Minute

// Server is a running server.
type Server struct {
	c        Config
	lock     *os.File
	listener net.Listener // nil without Socket
	serving  sync.WaitGroup

	restart sync.Mutex // one Restart or Stop at a time
	mu      sync.Mutex // of nats
	nats    *server.Server
}

// Socket is the path of the socket of a server whose store is dir.
func Socket(dir string) string { return filepath.Join(dir, socketName) }

// Start locks the store, starts the server on it and waits until it can be used. The error says so
// when another process uses the store.
func Start(c Config) (*Server, error) {
	if c.MaxStore == 0 {
		c.MaxStore = defaultMaxStore
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("store of the embedded server: %w", err)
	}
	lock, err := lockFile(filepath.Join(c.Dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("the data directory %s: %w", c.Dir, err)
	}
	s := &Server{c: c, lock: lock}
	if s.nats, err = run(c); err != nil {
		_ = lock.Close()
		return nil, err
	}
	warnOfDisk(c)
	if c.Socket {
		if err := s.listen(); err != nil {
			s.Stop()
			return nil, err
		}
	}
	return s, nil
}

// run starts a server and waits for it.
func run(c Config) (*server.Server, error) {
	ns, err := server.NewServer(&server.Options{
		ServerName: "touchbox", DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: c.Dir, JetStreamMaxStore: c.MaxStore, SyncAlways: true,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	log := &logger{log: c.Log, fatal: make(chan string, 1)}
	ns.SetLoggerV2(log, false, false, false)
	go ns.Start()
	ready := make(chan bool, 1)
	go func() { ready <- ns.ReadyForConnections(startTimeout) }()
	select {
	case ok := <-ready:
		if ok && ns.JetStreamEnabled() {
			return ns, nil
		}
		err = errors.New("it did not start in time")
	case text := <-log.fatal:
		err = errors.New(text)
	}
	ns.Shutdown()
	return nil, fmt.Errorf("embedded server on %s: %w", c.Dir, err)
}

// Conn connects to the server, also to the one after a Restart. It is what
// queue.Options.InProcess wants.
func (s *Server) Conn() (net.Conn, error) {
	ns := s.current()
	if ns == nil || !ns.Running() {
		return nil, errDown
	}
	return ns.InProcessConn()
}

var errDown = errors.New("the embedded server is not running")

// current returns the server, nil while there is none. It never waits: nats.go connects with a
// lock held that all its other calls need.
func (s *Server) current() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nats
}

// replace sets the server and returns the one before.
func (s *Server) replace(ns *server.Server) *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.nats
	s.nats = ns
	return old
}

// down stops the server, if there is one.
func (s *Server) down() {
	if ns := s.replace(nil); ns != nil {
		ns.Shutdown()
		ns.WaitForShutdown()
	}
}

// Health reports nil, or what is wrong with the server or its store. A write error stays: a full
// disk stops JetStream until Restart, also when there is space again.
func (s *Server) Health() error {
	ns := s.current()
	if ns == nil || !ns.Running() {
		return errDown
	}
	if h := ns.Healthz(&server.HealthzOptions{}); h.Status != "ok" {
		return fmt.Errorf("the embedded server is unwell: %s", h.Error)
	}
	return nil
}

// Restart stops and starts the server in place, on the same store; clients connect again by
// themselves. After an error the server is down, and Restart may be called again.
func (s *Server) Restart() error {
	s.restart.Lock()
	defer s.restart.Unlock()
	s.down()
	ns, err := run(s.c)
	if err == nil {
		s.replace(ns)
	}
	return err
}

// Stop stops the server and unlocks the store.
func (s *Server) Stop() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	s.restart.Lock()
	defer s.restart.Unlock()
	s.down()
	s.serving.Wait()
	_ = s.lock.Close()
}
