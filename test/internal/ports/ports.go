// Package ports finds addresses for the processes that tests start, which listen there a moment later, and again after a restart.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

// The ports lie below those that the system gives to outgoing connections: one of these could take a port between its choice and
// its use, or while the process that had it is started again.
const (
	first = 15_000
	count = 15_000
)

// next begins at another place in each run, so that the packages that are tested at the same time rarely meet.
var next = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(rand.Int64N(count))
	return &n
}()

// Free is an address of this machine on which nobody listens, and which no other test of the process is given.
func Free(t testing.TB) string {
	t.Helper()
	for range count {
		address := fmt.Sprintf("127.0.0.1:%d", first+next.Add(1)%count)
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}
