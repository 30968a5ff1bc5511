package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/web"
)

// policy is the Content-Security-Policy of every answer: nothing but what the console itself serves, no inline style
// or script, and no way from a text to markup but by the one policy of the script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types touchbox"

// maxBody bounds the body of a request, in bytes.
const maxBody = 1 << 20

// answerWithin bounds an answer that is no stream and no table, from the request on: more than what one may take to be made.
const answerWithin = apiWithin + time.Minute

// guard stands before everything: names, headers, sizes, origins, and the way by which a request came.
func (c *Console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		takenWithin(http.NewResponseController(w), answerWithin)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if c.prefix != "" { // a proxy may take the prefix off, or leave it
			r.URL.Path = "/" + strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, c.prefix), "/")
		}
		switch {
		case r.URL.Path == "/healthz": // asked by machines, by any name; it says nothing
		case !c.answersTo(r.Host):
			c.refuse(w, r, "this console is not called so: set CONSOLE_URL=https://"+printableHost(r.Host), http.StatusMisdirectedRequest)
			return
		case !c.encrypted(r) && !c.local(r):
			c.refuse(w, r, plainHint, http.StatusForbidden)
			return
		case !c.sameOrigin(r):
			c.refuse(w, r, "this request came from the page of somebody else", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse says no before anybody knows who asks, in the form that the one who asks reads.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, text string, status int) {
	if !strings.HasPrefix(r.URL.Path, apiPath) {
		http.Error(w, text, status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	(&visit{c: c, w: w, r: r, lang: lang.English}).writeJSON(status, problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: text})
}

// plainHint is what a person reads whose keys would cross the network in the clear.
const plainHint = "the console speaks plain HTTP to this machine alone: set CONSOLE_TLS_CERT and CONSOLE_TLS_KEY, " +
	"or put a proxy with TLS in front, name its network in CONSOLE_TRUSTED_PROXIES and have it set X-Forwarded-Proto"

func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// answersTo reports whether the console is called by a name of its own: else a page of a stranger's could have a
// browser ask it, by a name that the stranger points here (DNS rebinding).
func (c *Console) answersTo(host string) bool {
	name := hostname(host)
	if near(name) || strings.HasSuffix(name, ".localhost") {
		return true
	}
	if c.URL != nil && name == hostname(c.URL.Host) {
		return true
	}
	own := hostname(c.Addr)
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return own != "" && name == own
	}
	bound, err := netip.ParseAddr(own)
	return own == "" || err == nil && (bound.IsUnspecified() || bound == ip) // an address is nobody's name
}

// hostname is the host of HOST:PORT or of HOST alone, in lower case.
func hostname(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = strings.Trim(addr, "[]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// near reports whether a host is this machine.
func near(name string) bool {
	ip, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// encrypted reports whether the request crossed the network by TLS, to the console or to a proxy that it trusts.
func (c *Console) encrypted(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" && web.Within(web.ParseAddr(r.RemoteAddr), c.Proxies)
}

// local reports whether the request comes from this machine, or by a proxy that is trusted (the network of a container is
// one), to a name of this machine's.
func (c *Console) local(r *http.Request) bool {
	from := web.ParseAddr(r.RemoteAddr)
	return near(hostname(r.Host)) && (from.IsLoopback() || web.Within(from, c.Proxies))
}

// sameOrigin refuses what changes something and was sent by another site's page. A request that carries our cookie is a
// browser's, and those say where they come from.
func (c *Console) sameOrigin(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	if c.cookieOf(r) != "" && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return false
	}
	return c.origins.Check(r) == nil
}

// printableHost is a host as an answer may repeat it.
func printableHost(host string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && !strings.ContainsRune(`<>"'&`, r) {
			return r
		}
		return -1
	}, hostname(host))
}
