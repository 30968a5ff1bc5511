package hook

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/wait"
	"github.com/touchbox/touchbox/pkg/web"
)

// siteAuth is a site with the hashes of its keys, as the handler authenticates hooks. A nil one accepts no
// key.
type siteAuth struct {
	site   *calltouch.Site
	view   calltouch.View
	keys   [][sha256.Size]byte
	warned wait.Throttle
}

func newSiteAuth(s calltouch.Site) *siteAuth {
	a := &siteAuth{site: &s, view: s.View()}
	if s.HookKeys == nil {
		return a
	}
	for _, k := range s.HookKeys() {
		if k != "" {
			a.keys = append(a.keys, sha256.Sum256([]byte(k)))
		}
	}
	return a
}

// accepts compares a key with each of the site's in constant time; hashing hides their length too.
func (a *siteAuth) accepts(key string) bool {
	sum := sha256.Sum256([]byte(key))
	if a == nil {
		return false
	}
	found := 0
	for i := range a.keys {
		found |= subtle.ConstantTimeCompare(sum[:], a.keys[i][:])
	}
	return found == 1
}

// trouble is what a wrong key in an address of this site says; of no site's when a is nil.
func (a *siteAuth) trouble(site string) calltouch.Trouble {
	switch {
	case a == nil:
		return unknownSite(site)
	case len(a.keys) == 0:
		return calltouch.Trouble{Site: a.site.ID, Reason: calltouch.TroubleNoKey}
	}
	return calltouch.Trouble{Site: a.site.ID, Reason: calltouch.TroubleKey}
}

// How long the same warning about one site is not said again: a wrong setting comes with every hook.
const (
	quiet = time.Minute
	daily = 24 * time.Hour
)

// warn says what a person should change, at most once in the interval.
func (a *siteAuth) warn(log zerolog.Logger, every time.Duration, text string) {
	if a.warned.Due(text, every) {
		log.Warn().Str("site", a.site.ID).Msg(text)
	}
}

// warnError says that a hook could not be stored, at most once a minute.
func (a *siteAuth) warnError(log zerolog.Logger, err error) {
	const text = "a hook could not be stored, Calltouch was asked to come again"
	if a.warned.Due(text, quiet) {
		log.Warn().Str("site", a.site.ID).Err(err).Msg(text)
	}
}

// allowed reports whether the sender is in one of the networks; no networks mean everybody.
func allowed(r *http.Request, networks, proxies []netip.Prefix) bool {
	if len(networks) == 0 {
		return true
	}
	return web.Within(web.Sender(r, proxies), networks)
}

// maxShownSite is the longest id of an unknown site that is repeated to people: longer digits are
// none of Calltouch's and might be a phone.
const maxShownSite = 6

// unknownSite is a Trouble of an address whose site is in no file.
func unknownSite(site string) calltouch.Trouble {
	if site == "" || len(site) > maxShownSite || strings.Trim(site, "0123456789") != "" {
		site = ""
	}
	return calltouch.Trouble{Site: site, Reason: calltouch.TroubleSite}
}
