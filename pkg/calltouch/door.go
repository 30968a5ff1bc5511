package calltouch

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

// door is a site as the handler sees it. A nil door opens to nobody.
type door struct {
	site Site
	keys [][sha256.Size]byte

	mu     sync.Mutex
	warned map[string]*rate.Sometimes
}

func newDoor(s Site) *door {
	d := &door{site: s, warned: map[string]*rate.Sometimes{}}
	for _, k := range s.Keys {
		if k != "" {
			d.keys = append(d.keys, sha256.Sum256([]byte(k)))
		}
	}
	return d
}

// opens compares a key with each of the site's in constant time; hashing hides their length too.
func (d *door) opens(key string) bool {
	sum := sha256.Sum256([]byte(key))
	if d == nil {
		return false
	}
	found := 0
	for i := range d.keys {
		found |= subtle.ConstantTimeCompare(sum[:], d.keys[i][:])
	}
	return found == 1
}

// quiet is how long the same warning about one site is not said again.
const quiet = time.Minute

// warn says what a person should change, once in a while: a wrong setting comes with every hook.
func (d *door) warn(log zerolog.Logger, text string) {
	d.sometimes(text).Do(func() { log.Warn().Str("site", d.site.ID).Msg(text) })
}

func (d *door) warnError(log zerolog.Logger, err error) {
	const text = "a hook could not be stored, Calltouch was asked to come again"
	d.sometimes(text).Do(func() { log.Warn().Str("site", d.site.ID).Err(err).Msg(text) })
}

// otherModel reports whether a hook's own attribution is not the one of the file.
func (d *door) otherModel(got string) bool {
	return got != "" && d.site.Attribution != "" && got != attributionNumber(d.site.Attribution)
}

func (d *door) sometimes(text string) *rate.Sometimes { return d.each(text, quiet) }

func (d *door) sometimesDaily(text string) *rate.Sometimes { return d.each(text, 24*time.Hour) }

// each says a text at most once in an interval.
func (d *door) each(text string, interval time.Duration) *rate.Sometimes {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.warned[text]
	if s == nil {
		s = &rate.Sometimes{First: 1, Interval: interval}
		d.warned[text] = s
	}
	return s
}

// allowed reports whether the sender is in one of the networks; no networks mean everybody.
func allowed(r *http.Request, networks, proxies []netip.Prefix) bool {
	if len(networks) == 0 {
		return true
	}
	return within(sender(r, proxies), networks)
}

// sender returns the address of who sent a request: the rightmost one of X-Forwarded-For that is
// no trusted proxy, since everything left of it can be invented. It is invalid when a trusted
// proxy wrote what is no address.
func sender(r *http.Request, proxies []netip.Prefix) netip.Addr {
	addr := parseAddr(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && within(addr, proxies); i-- {
		if hop := strings.TrimSpace(hops[i]); hop != "" {
			addr = parseAddr(hop)
		}
	}
	return addr
}

// parseAddr reads an address with or without a port.
func parseAddr(s string) netip.Addr {
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone("")
	}
	addr, _ := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap().WithZone("")
}

func within(addr netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
