package jet_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// guarded is a server with a user, at a port of its own (-1) or at a given one.
func guarded(t *testing.T, dir, password string, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, Username: "worker", Password: password, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	waittest.Eventually(t, "the server is up", func() bool { return s.ReadyForConnections(time.Second) })
	t.Cleanup(s.Shutdown)
	return s
}

// stopServer ends it, so that its port is free.
func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func openGuarded(t *testing.T, s *server.Server) *jet.Client {
	t.Helper()
	return dial(t, jet.Options{Servers: s.ClientURL(), User: "worker", Password: "right", Log: zerolog.Nop()})
}

// A server that refuses the user for a while, because its users are being changed, is connected to
// again when it takes him.
func TestRefusedUserIsTriedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := guarded(t, dir, "right", server.RANDOM_PORT)
	c := openGuarded(t, s)
	port := s.Addr().(interface{ AddrPort() netip.AddrPort }).AddrPort().Port()
	stopServer(s)
	other := guarded(t, dir, "another", int(port))
	waittest.Eventually(t, "it refuses several times", func() bool {
		closed, err := other.Connz(&server.ConnzOptions{State: server.ConnClosed})
		return err == nil && closed.Total > 3 || c.Conn().IsClosed()
	})
	stopServer(other)
	guarded(t, dir, "right", int(port))
	waittest.Eventually(t, "it is connected to again", func() bool { return c.Ready(t.Context()) == nil })
}

// A connection that the library gives up is told of: the process is to end, and to be started anew.
func TestClosedConnectionIsToldOf(t *testing.T) {
	t.Parallel()
	c := openGuarded(t, guarded(t, t.TempDir(), "right", server.RANDOM_PORT))
	c.Conn().Close()
	if err := c.GivenUp(t.Context()); err == nil || !strings.Contains(err.Error(), "closed for good") {
		t.Errorf("given up: %v", err)
	}
}

// A server that takes less than a hook may hold would have hooks refused again and again: it is said before the first one.
func TestSmallMessagesOfAServerAreSaid(t *testing.T) {
	t.Parallel()
	for largest, want := range map[int32]bool{64 << 10: true, server.MAX_PAYLOAD_SIZE: false} {
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), MaxPayload: largest, NoSigs: true})
		if err != nil {
			t.Fatal(err)
		}
		go s.Start()
		t.Cleanup(s.Shutdown)
		waittest.Eventually(t, "the server is up", func() bool { return s.ReadyForConnections(time.Second) })
		var log waittest.Buffer
		dial(t, jet.Options{Servers: s.ClientURL(), Log: zerolog.New(&log)})
		if got := strings.Contains(log.String(), `"max_payload":65536`); got != want {
			t.Errorf("of %d bytes the log says %s", largest, log.String())
		}
	}
}

func TestOldServerIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version string
		ok      bool
	}{
		{"2.14.0", true}, {"2.15.2", true}, {"3.0.0", true}, {"2.14.9-RC.1", true},
		{"2.13.99", false}, {"2.12.15", false}, {"1.4.0", false}, {"", false}, {"2", false}, {"x.y.z", false},
	}
	for _, tt := range tests {
		t.Run(tt.version, func(t *testing.T) {
			err := jet.CheckVersion(tt.version)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "2.14 or newer") {
				t.Errorf("%q does not say what is needed", err)
			}
		})
	}
}

// An old server is not asked again and again: Dial ends at once and says why.
func TestDialRefusesAnOldServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pretend(c, "2.12.15")
		}
	}()
	began := time.Now()
	_, err = jet.Dial(t.Context(), jet.Options{Servers: "nats://me:secret@" + l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "2.12.15") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if time.Since(began) > 3*time.Second {
		t.Error("it was tried on")
	}
}

// pretend answers a client's greeting as a server of the version.
func pretend(c net.Conn, version string) {
	defer func() { _ = c.Close() }()
	_, _ = c.Write([]byte(`INFO {"server_id":"x","version":"` + version + `","headers":true,"max_payload":1048576,"proto":1}` + "\r\n"))
	buffer := make([]byte, 4096)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if strings.Contains(string(buffer[:n]), "PING") {
			_, _ = c.Write([]byte("PONG\r\n"))
		}
	}
}

func TestDialWaitsForTheServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := jet.Dial(ctx, jet.Options{Servers: "nats://me:secret@127.0.0.1:1"})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if _, err := jet.Dial(t.Context(), jet.Options{}); err == nil {
		t.Error("opened nothing")
	}
}
