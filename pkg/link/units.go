package link

import (
	"math"
	"regexp"
	"strconv"
	"time"
)

// Patterns of values with a unit; the schema has the same ones.
const (
	durationPattern = `^([0-9]{1,9}[dhms])+$`
	sizePattern     = `^[0-9]{1,9}(\.[0-9]{1,3})?(KB|MB|GB|TB)$`
	ratePattern     = `^[0-9]{1,9}(\.[0-9]{1,3})?/(s|m|h)$`
)

var (
	durationForm = regexp.MustCompile(durationPattern)
	durationPart = regexp.MustCompile(`([0-9]+)([dhms])`)
	sizeForm     = regexp.MustCompile(sizePattern)
	rateForm     = regexp.MustCompile(ratePattern)
)

var unitOfTime = map[string]time.Duration{
	"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second,
}

// parseDuration reads 30s, 1h30m, 10d. A day has 24 hours.
func parseDuration(s string) (time.Duration, bool) {
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

// parseSize reads 10GB as 10,000,000,000 bytes.
func parseSize(s string) (int64, bool) {
	if !sizeForm.MatchString(s) {
		return 0, false
	}
	n, _ := strconv.ParseFloat(s[:len(s)-2], 64)
	n *= unitOfSize[s[len(s)-2:]]
	return int64(n), n < math.MaxInt64
}

var unitOfRate = map[byte]float64{'s': 1, 'm': 60, 'h': 3600}

// parseRate reads 100/s or 6000/m as requests a second.
func parseRate(s string) (float64, bool) {
	if !rateForm.MatchString(s) {
		return 0, false
	}
	n, _ := strconv.ParseFloat(s[:len(s)-2], 64)
	return n / unitOfRate[s[len(s)-1]], n > 0
}
