//go:build unix

package pipeline_test

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used so far, of user and system.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
