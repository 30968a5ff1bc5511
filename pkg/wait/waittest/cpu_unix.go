//go:build unix

package waittest

import (
	"runtime"
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

// PeakMB is the largest resident set that this process has had; 0 where the system counts it in another unit than Linux, kilobytes.
func PeakMB() float64 {
	var u syscall.Rusage
	if runtime.GOOS != "linux" || syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Maxrss) / 1024
}
