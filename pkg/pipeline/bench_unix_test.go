//go:build unix

package pipeline_test

import (
	"runtime"
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

// peakMB is the largest resident set that this process has had. Linux says it in kilobytes.
func peakMB() float64 {
	var u syscall.Rusage
	if runtime.GOOS != "linux" || syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Maxrss) / 1024
}
