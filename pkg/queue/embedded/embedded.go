// Package embedded runs the NATS server with JetStream inside this process, for `touchbox up`, for
// the demo and for tests.
//
// Its store lies in a directory that only one process may use. Every write is synced before it is
// acknowledged. It opens no TCP port: this process connects through Conn, others through a unix
// socket that only the same user may open.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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
	// Context gives up a start when it ends: reading a large store after a crash takes a while. Nil: a
	// start is waited for, however long it takes.
	Context context.Context
	Log     zerolog.Logger
}

const (
	defaultMaxStore = 20_000_000_000
	lockName        = "touchbox.lock"
	socketName      = "nats.sock"
)

// startTells is how often it is said that the store is still being read. After a kill 5 million events
// take 17 s; a slow disk may need minutes, and a start that is given up begins anew.
const startTells = 10 * time.Second

// Server is a running server.
type Server struct {
	c        Config
	lock     *os.File
	listener net.Listener // nil without Socket
	serving  sync.WaitGroup

	restart sync.Mutex // one Restart or Stop at a time
	mu      sync.Mutex // of nats
	nats    *server.Server

	looks sync.Mutex      // of homes
	homes map[string]home // the streams' folders, by their paths, as Health saw them first
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

// maxPayload is the largest message: a record of Calltouch's of up to 4 MB, a hook has at most
// 256 KB. NATS advises against more than 8 MB.
const maxPayload = 8 << 20

// run starts a server and waits for it.
func run(c Config) (*server.Server, error) {
	ns, err := server.NewServer(&server.Options{
		ServerName: "touchbox", DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: c.Dir, JetStreamMaxStore: max(c.MaxStore, reserved(c.Dir)), SyncAlways: true,
		MaxPayload: maxPayload,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	log := &logger{log: c.Log, fatal: make(chan string, 1)}
	ns.SetLoggerV2(log, false, false, false)
	go ns.Start()
	if err := await(c, ns, log.fatal); err != nil {
		go ns.Shutdown() // it may wait for what is being read
		return nil, fmt.Errorf("embedded server on %s: %w", c.Dir, err)
	}
	log.started()
	return ns, nil
}

// await waits until a server is ready, and says what it waits for.
func await(c Config, ns *server.Server, fatal <-chan string) error {
	ctx := c.Context
	if ctx == nil {
		ctx = context.Background()
	}
	began, tell := time.Now(), time.NewTicker(startTells)
	defer tell.Stop()
	for !ns.ReadyForConnections(startLook) || !ns.JetStreamEnabled() {
		select {
		case text := <-fatal:
			return errors.New(text)
		case <-ctx.Done():
			return fmt.Errorf("the start was given up while the store was being read: %w", ctx.Err())
		case <-tell.C:
			c.Log.Info().Str("dir", c.Dir).Int64("store_bytes", size(c.Dir)).Dur("since", time.Since(began)).
				Msg("the embedded server is still reading its store; after a crash and on a slow disk this takes minutes")
		default:
		}
		if !ns.Running() && time.Since(began) > startTells {
			return errors.New("it has stopped while it was starting")
		}
	}
	return nil
}

// startLook is how long one look at a server that starts waits for it.
const startLook = 100 * time.Millisecond

// Conn connects to the server, also to the one after a Restart. It is what
// jet.Options.InProcess wants.
func (s *Server) Conn() (net.Conn, error) {
	ns := s.current()
	if ns == nil || !ns.Running() {
		return nil, ErrDown
	}
	return ns.InProcessConn()
}

// ErrDown reports a server that does not run, as between the two halves of a restart.
var ErrDown = errors.New("the embedded server is not running")

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

// logger passes on what the server warns of. Its notices are about itself and fill a screen.
type logger struct {
	log   zerolog.Logger
	fatal chan string

	mu    sync.Mutex
	ready bool
	stale int // indexes that were older than their messages, during the start
}

// staleIndex is what the server says of each index that a killed process left behind its messages. It reads those again:
// nothing is lost.
var staleIndex = regexp.MustCompile(`(Stream|TTL|Message scheduling|Sourcing) state (is outdated|outdated|detected prior state)`)

// countStale counts a warning of the start that is told with the others of its kind.
func (l *logger) countStale(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ready || !staleIndex.MatchString(text) {
		return false
	}
	l.stale++
	return true
}

// started tells in one sentence what the server said of many indexes.
func (l *logger) started() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = true
	if l.stale > 0 {
		l.log.Warn().Int("indexes", l.stale).Msg("the store was not closed in order (a kill, a power cut): the server has made its indexes anew from the messages")
	}
}

// Noticef is passed on at the level debug.
func (l *logger) Noticef(format string, v ...any) { l.say(l.log.Debug(), format, v) }

// Warnf is passed on, but for what started tells.
func (l *logger) Warnf(format string, v ...any) {
	if l.countStale(fmt.Sprintf(format, v...)) {
		l.say(l.log.Debug(), format, v)
		return
	}
	l.say(l.log.Warn(), format, v)
}

// Errorf is passed on.
func (l *logger) Errorf(format string, v ...any) { l.say(l.log.Error(), format, v) }

// Fatalf ends the start instead of the process.
func (l *logger) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

// Debugf is never called: debugging is off.
func (l *logger) Debugf(string, ...any) {}

// Tracef is never called: tracing is off.
func (l *logger) Tracef(string, ...any) {}

func (l *logger) say(e *zerolog.Event, format string, v []any) {
	e.Str("from", "nats-server").Msg(strings.TrimSpace(fmt.Sprintf(format, v...)))
}
