package keys

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"
)

// Patterns of values with a unit.
const (
	DurationPattern = `^([0-9]{1,9}[dhms])+$`
	SizePattern     = `^[0-9]{1,9}(\.[0-9]{1,3})?(KB|MB|GB|TB)$`
	RatePattern     = `^[0-9]{1,9}(\.[0-9]{1,3})?/(s|m|h)$`
)

var (
	durationForm = regexp.MustCompile(DurationPattern)
	durationPart = regexp.MustCompile(`([0-9]+)([dhms])`)
	sizeForm     = regexp.MustCompile(SizePattern)
	rateForm     = regexp.MustCompile(RatePattern)
)

var unitOfTime = map[string]time.Duration{
	"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second,
}

// ParseDuration reads 30s, 1h30m, 10d. A day has 24 hours.
func ParseDuration(s string) (time.Duration, bool) {
	if !durationForm.MatchString(s) {
		return 0, false
	}
	var sum float64
	for _, part := range durationPart.FindAllStringSubmatch(s, -1) {
		n, _ := strconv.ParseFloat(part[1], 64)
		sum += n * float64(unitOfTime[part[2]])
	}
	if sum >= math.MaxInt64 {
		return 0, false
	}
	return time.Duration(sum), true
}

var unitOfSize = map[string]float64{"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}

// ParseSize reads 10GB as 10,000,000,000 bytes.
func ParseSize(s string) (int64, bool) {
	if !sizeForm.MatchString(s) {
		return 0, false
	}
	n, _ := strconv.ParseFloat(s[:len(s)-2], 64)
	n *= unitOfSize[s[len(s)-2:]]
	return int64(n), n < math.MaxInt64
}

var unitOfRate = map[byte]float64{'s': 1, 'm': 60, 'h': 3600}

// ParseRate reads 100/s, 6000/m or 360000/h as requests a second.
func ParseRate(s string) (float64, bool) {
	if !rateForm.MatchString(s) {
		return 0, false
	}
	n, _ := strconv.ParseFloat(s[:len(s)-2], 64)
	return n / unitOfRate[s[len(s)-1]], n > 0
}

// Durations are the default and the least of a Duration; 0 where the table has none.
func (k *Key) Durations() (def, least time.Duration) {
	def, _ = ParseDuration(k.Default)
	least, _ = ParseDuration(k.Least)
	return def, least
}

// Sizes are the default and the least of a Size in bytes; 0 where the table has none.
func (k *Key) Sizes() (def, least int64) {
	def, _ = ParseSize(k.Default)
	least, _ = ParseSize(k.Least)
	return def, least
}

// seconds and those below it spell a value as the file does: each in the unit that people would write it in.
func seconds(d time.Duration) string { return fmt.Sprintf("%ds", d/time.Second) }
func minutes(d time.Duration) string { return fmt.Sprintf("%dm", d/time.Minute) }
func days(d time.Duration) string    { return fmt.Sprintf("%dd", d/(24*time.Hour)) }
func gigabytes(n int64) string       { return fmt.Sprintf("%dGB", n/1_000_000_000) }
