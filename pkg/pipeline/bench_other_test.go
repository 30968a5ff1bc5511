//go:build !unix

package pipeline_test

import (
	"testing"
	"time"
)

// cpuTime is not known here.
func cpuTime(*testing.B) time.Duration { return 0 }

// peakMB is not known here.
func peakMB() float64 { return 0 }
