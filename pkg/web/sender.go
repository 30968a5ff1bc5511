package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// Sender returns the address of who sent a request: the rightmost one of X-Forwarded-For that is
// no trusted proxy, since everything left of it can be invented. It is invalid when a trusted
// proxy wrote what is no address.
func Sender(r *http.Request, proxies []netip.Prefix) netip.Addr {
	addr := ParseAddr(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && Within(addr, proxies); i-- {
		if hop := strings.TrimSpace(hops[i]); hop != "" {
			addr = ParseAddr(hop)
		}
	}
	return addr
}

// ParseAddr reads an address with or without a port.
func ParseAddr(s string) netip.Addr {
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone("")
	}
	addr, _ := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap().WithZone("")
}

// Within reports whether an address is in one of the networks.
func Within(addr netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
