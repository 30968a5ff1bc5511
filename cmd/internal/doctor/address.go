package doctor

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/link"
)

// webhook looks at the address that Calltouch calls, as far as that can be seen from here: its way
// from Calltouch's own network cannot.
func (d *Doctor) webhook(ctx context.Context) {
	hooked := d.hooked()
	if len(hooked) == 0 {
		d.skip("webhook", "", d.Lang.Text("no site has a key: no webhooks are taken"))
		return
	}
	d.localWebhook(ctx, hooked)
	if d.Address == "" {
		d.skip("webhook", "", d.Lang.Text("the address that Calltouch calls is not known here: give it with --address https://HOST"))
		return
	}
	u, err := url.Parse(d.Address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		d.finding("webhook", "", d.Lang.Text("--address is no address"), d.Lang.Text("give it as https://HOST"))
		return
	}
	u.Path, _, _ = strings.Cut(u.Path, "/calltouch/") // the whole address of a webhook will do, too
	base := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/")}).String()
	if !d.resolves(ctx, u.Hostname()) || !d.encrypted(ctx, u) {
		return // the key goes nowhere that is not known to be right
	}
	for _, s := range hooked {
		d.askWebhook(ctx, base, s)
	}
}

// hooked are the sites that take webhooks and whose key is known here.
func (d *Doctor) hooked() []*link.Site {
	var sites []*link.Site
	for _, s := range d.File.Sites {
		if s.Key.Set() && s.Key.Value() == "" {
			d.finding("webhook", s.ID, d.Lang.Sprintf("its key is not here: %s", s.Key.Missing(d.Lang)), d.Lang.Text("run the command in the environment that Touchbox runs in, as in sudo touchboxctl doctor"))
		} else if s.Key.Set() {
			sites = append(sites, s)
		}
	}
	return sites
}

// localWebhook asks the webhook address of this machine.
func (d *Doctor) localWebhook(ctx context.Context, sites []*link.Site) {
	address := strings.TrimSuffix(strings.TrimPrefix(app.HealthURL(d.Settings.IngestAddr), "http://"), "/healthz")
	dialer := net.Dialer{Timeout: netTimeout}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	switch {
	case err != nil && d.Settings.NATSURL != "":
		d.skip("webhook", address, d.Lang.Text("no ingest listens on this machine"))
		return
	case err != nil:
		d.finding("webhook", address, d.why(err), d.Lang.Text("start `touchbox up`; see INGEST_ADDR"))
		return
	}
	_ = connection.Close()
	if d.Settings.TLSCert != "" {
		d.ok("webhook", address, d.Lang.Text("it listens"))
		return
	}
	for _, s := range sites {
		d.askWebhook(ctx, "http://"+address, s)
	}
}

// resolves looks where the name of the address leads.
func (d *Doctor) resolves(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, netTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		d.finding("dns", host, d.why(err), d.Lang.Text("enter the name at whoever serves its domain"))
		return false
	}
	var shown []string
	public := false
	for _, ip := range ips {
		ip = ip.Unmap()
		shown = append(shown, ip.String())
		public = public || reachable(ip)
	}
	text := d.Lang.Sprintf("resolves to %s", strings.Join(shown, ", "))
	if !public {
		d.finding("dns", host, text, d.Lang.Text("Calltouch cannot reach a private address: see the domain's records; from inside a network the name may lead elsewhere than from outside"))
		return true // it can be asked from here all the same
	}
	d.ok("dns", host, text)
	return true
}

func reachable(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(ip)
}

// encrypted looks at the certificate of the address. False means that no key should go there.
func (d *Doctor) encrypted(ctx context.Context, u *url.URL) bool {
	if u.Scheme == "http" {
		d.finding("tls", u.Host, d.Lang.Text("no TLS: the key and the callers' phones go over the net in clear"), d.Lang.Text("put a proxy with a certificate in front, or set INGEST_TLS_CERT"))
		return strings.HasPrefix(u.Hostname(), "127.") || u.Hostname() == "localhost"
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	ctx, cancel := context.WithTimeout(ctx, netTimeout)
	defer cancel()
	connection, err := (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		d.finding("tls", u.Host, d.why(err), d.Lang.Text("see the proxy in front of Touchbox, its certificate, and whether its port is open"))
		return false
	}
	defer func() { _ = connection.Close() }()
	d.expiry("tls", u.Host, connection.(*tls.Conn).ConnectionState().PeerCertificates[0])
	return true
}

// askWebhook asks the address of a site's webhook by HEAD, which stores nothing.
func (d *Doctor) askWebhook(ctx context.Context, base string, s *link.Site) {
	subject := base + "/calltouch/" + s.ID + "/..."
	answer, asked, err := d.head(ctx, base+"/calltouch/"+s.ID+"/"+s.Key.Value())
	if err != nil {
		d.finding("webhook", subject, d.why(err), d.Lang.Text("see the proxy in front of Touchbox, and whether ingest runs"))
		return
	}
	if strings.HasPrefix(base, "https") {
		d.noteDate(base, answer.Header.Get("Date"), asked)
	}
	switch status := answer.StatusCode; {
	case status == http.StatusOK:
		d.ok("webhook", subject, d.Lang.Text("takes hooks"))
	case status == http.StatusNotFound:
		d.finding("webhook", subject, d.Lang.Text("answers 404"), d.Lang.Text("ingest runs with another file or key, the proxy does not pass /calltouch/ on, or INGEST_ALLOW does not name this machine"))
	case status >= 300 && status < 400:
		d.finding("webhook", subject, d.Lang.Sprintf("answers %d: a redirect", status), d.Lang.Text("enter the address in Calltouch that it leads to: nothing says that Calltouch follows"))
	case status >= 500:
		d.finding("webhook", subject, d.Lang.Sprintf("answers %d", status), d.Lang.Text("see whether ingest runs, and its /readyz"))
	default:
		d.finding("webhook", subject, d.Lang.Sprintf("answers %d", status), d.Lang.Text("something else than Touchbox answers there: see the proxy"))
	}
}
