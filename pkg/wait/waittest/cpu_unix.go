//go:build unix

package waittest

import (
	"syscall"
	"testing"
	"time"
)

// CPUTime is what this process has used so far, of user and system.
func CPUTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
