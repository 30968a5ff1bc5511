// Package embedded runs the NATS server with JetStream inside this process.
package embedded

import (
	"errors"
	"net"

	"github.com/rs/zerolog"
)

// Config of the server.
type Config struct {
	Dir      string // of the store; created when missing
	MaxStore int64  // bytes that JetStream may use
	Socket   bool   // serve other processes on Dir/nats.sock
	Log      zerolog.Logger
}

// Server is a running server.
type Server struct{}

// Start locks the store and starts the server on it.
func Start(c Config) (*Server, error) { return nil, errors.ErrUnsupported }

// Conn connects to the server, also after a Restart. It is what queue.Options.InProcess wants.
func (s *Server) Conn() (net.Conn, error) { return nil, errors.ErrUnsupported }

// Health reports what is wrong with the store.
func (s *Server) Health() error { return nil }

// Restart stops and starts the server in place, on the same store.
func (s *Server) Restart() error { return nil }

// Stop stops it and unlocks the store.
func (s *Server) Stop() {}
