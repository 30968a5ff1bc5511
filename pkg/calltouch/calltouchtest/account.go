package calltouchtest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// Account is several cabinets at one address, as Calltouch serves them: the site that a request names says
// whose it is. GET /stats and /control show all of them by site, POST /control changes all, or with ?site=
// one. A single cabinet answers for itself alone.
type Account []*Calltouch

// ServeHTTP implements http.Handler.
func (a Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(a) == 1 {
		a[0].ServeHTTP(w, r)
		return
	}
	switch site := siteOf(r); {
	case site != "":
		a.of(site).ServeHTTP(w, r)
	case r.URL.Path == "/control" && r.Method == http.MethodPost:
		a.control(w, r)
	case r.URL.Path == "/control":
		a.show(w, func(c *Calltouch) any { return c.Faults() })
	case r.URL.Path == "/stats":
		a.show(w, func(c *Calltouch) any { return c.Stats() })
	default:
		a[0].ServeHTTP(w, r)
	}
}

// siteOf is the site that a request names: in its path, or as siteId or site.
func siteOf(r *http.Request) string {
	if rest, ok := strings.CutSuffix(r.URL.Path, "/calls-diary/calls"); ok {
		return rest[strings.LastIndex(rest, "/")+1:]
	}
	query := r.URL.Query()
	if site := query.Get("siteId"); site != "" {
		return site
	}
	return query.Get("site")
}

// of is the cabinet of a site; for an unknown one it is the first, which denies the access.
func (a Account) of(site string) *Calltouch {
	for _, c := range a {
		if c.cfg.Site == site {
			return c
		}
	}
	return a[0]
}

func (a Account) show(w http.ResponseWriter, of func(*Calltouch) any) {
	all := map[string]any{}
	for _, c := range a {
		all[c.cfg.Site] = of(c)
	}
	writeJSON(w, all)
}

// control gives each cabinet the same change.
func (a Account) control(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControl))
	for _, c := range a {
		if err == nil {
			err = c.change(bytes.NewReader(body))
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.show(w, func(c *Calltouch) any { return c.Faults() })
}
