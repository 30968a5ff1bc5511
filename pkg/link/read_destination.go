package link

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// named is a header or query parameter with its value as it stands in the file.
type named struct {
	name  string
	value *node
}

// destinationTemplates are compiled with each link, because the attributes depend on its sites.
type destinationTemplates struct {
	headers, query []named
	format         timeFormat
}

func (l *loader) readDestinations() {
	for _, n := range l.root.items("mindbox") {
		d, o, ok := l.readDestination(n)
		if !ok {
			continue
		}
		if d.Name != "" && l.file.Destination(d.Name) != nil {
			l.mistake(o.pos("name"), "the name %s stands here a second time", d.Name)
		}
		l.file.Destinations = append(l.file.Destinations, d)
	}
}

func (l *loader) readDestination(n *node) (*Destination, object, bool) {
	o, ok := l.object(n, destinationSection())
	if !ok {
		return nil, o, false
	}
	d := &Destination{
		Name:          o.text("name", ""),
		URL:           l.url(o, "url", ""),
		Endpoint:      o.matching("endpoint", operationPattern, "", "endpointId"),
		Secret:        l.secret(o, "secret"),
		Authorization: o.choice("authorization", AuthorizationMindbox, AuthorizationSecretKey),
		TimeFormat:    o.text("timeFormat", defaultTimeFormat),
		Rate:          l.rate(o),
		Timeout:       o.duration("timeout", 30*time.Second, time.Second),
	}
	format, err := parseTimeFormat(d.TimeFormat)
	if err != nil {
		l.mistake(o.pos("timeFormat"), "%s is no form of a time", d.TimeFormat).hint("letters such as yyyy-MM-dd HH:mm:ss.fff, other text in single quotes")
	}
	l.templates[d.Name] = destinationTemplates{l.headers(o), l.query(o), format}
	if retry, ok := l.sub(o, "retry", retrySection()); ok {
		d.Retry.For = retry.duration("for", 72*time.Hour, time.Second)
		d.Retry.UpTo = retry.duration("upTo", 15*time.Minute, time.Second)
	}
	l.checkEncrypted(d, o)
	return d, o, true
}

func (l *loader) rate(o object) float64 {
	n := o.node.get("rate")
	s, ok := l.scalarText(n)
	if !ok {
		return 0
	}
	rate, ok := parseRate(s)
	if !ok {
		l.mistake(n.pos, "%s is no rate", s).hint("a number of requests with its span of time: 100/s, 6000/m")
	}
	return rate
}

// headerName is a token as HTTP defines it.
var headerName = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]+$")

// ownHeaders are set by the delivery itself.
var ownHeaders = []string{"Authorization", "Content-Type", "Content-Length", "Accept", "Host", "Connection", "Transfer-Encoding"}

func (l *loader) headers(o object) []named {
	var out []named
	for _, e := range o.entries("headers") {
		canonical := http.CanonicalHeaderKey(e.key)
		switch {
		case !headerName.MatchString(e.key):
			l.mistake(e.pos, "%s is no name of a header", e.key)
		case slices.Contains(ownHeaders, canonical):
			l.mistake(e.pos, "the header %s is set by Touchbox itself", e.key)
		default:
			out = append(out, named{canonical, e.value})
		}
	}
	return out
}

// ownParameters are set by the delivery itself.
var ownParameters = []string{"endpointId", "operation", "deviceUUID", "transactionId"}

func (l *loader) query(o object) []named {
	var out []named
	for _, e := range o.entries("query") {
		if i := slices.IndexFunc(ownParameters, func(p string) bool { return strings.EqualFold(p, e.key) }); i >= 0 {
			l.mistake(e.pos, "the parameter %s is set by Touchbox itself", ownParameters[i])
			continue
		}
		out = append(out, named{e.key, e.value})
	}
	return out
}

// checkEncrypted warns of personal data that would cross a network in the clear.
func (l *loader) checkEncrypted(d *Destination, o object) {
	u, err := url.Parse(d.URL)
	if err != nil {
		l.mistake(o.pos("url"), "%s is no %s", d.URL, l.lang.Text("address (https://...)"))
		return
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	near := ip != nil && (ip.IsLoopback() || ip.IsPrivate()) || ip == nil && !strings.Contains(host, ".")
	if u.Scheme == "http" && !near {
		l.warn(o.pos("url"), "phones and the secret would go unencrypted to %s", host).code("https://")
	}
}
