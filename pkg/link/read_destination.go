package link

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// named is a header or query parameter with its value as it stands in the file: a text, which may
// hold ${...}, or a secret.
type named struct {
	name   string
	value  *strictyaml.Node
	secret Secret // set for {env: NAME} and {file: path}
}

// destinationTemplates are compiled with each link, because the attributes depend on its sites.
type destinationTemplates struct {
	headers, query []named
	format         expression.TimeFormat
}

func (l *loader) readDestinations() {
	for _, n := range few(l, l.root.items("mindbox"), "mindbox") {
		d, o, ok := l.readDestination(n)
		if !ok {
			continue
		}
		if d.Name != "" && l.file.Destination(d.Name) != nil {
			l.Mistake(o.pos("name"), "the name %s stands here a second time", d.Name)
		}
		l.file.Destinations = append(l.file.Destinations, d)
	}
}

func (l *loader) readDestination(n *strictyaml.Node) (*Destination, object, bool) {
	o, ok := l.object(n, &keys.Destination)
	if !ok {
		return nil, o, false
	}
	d := &Destination{
		Name:          o.text("name"),
		URL:           o.address("url"),
		Endpoint:      o.word("endpoint"),
		Secret:        l.secret(o, "secret", MindboxSide),
		Authorization: o.choice("authorization"),
		TimeFormat:    o.text("timeFormat"),
		Rate:          o.rate("rate"),
		Timeout:       o.duration("timeout"),
	}
	format, err := expression.ParseTimeFormat(d.TimeFormat)
	if err != nil {
		l.Mistake(o.pos("timeFormat"), "%s is no form of a time", d.TimeFormat).Hint("letters such as yyyy-MM-dd HH:mm:ss.fff, other text in single quotes")
	}
	l.templates[d.Name] = destinationTemplates{l.headers(o), l.query(o), format}
	if retry, ok := l.sub(o, "retry"); ok {
		d.Retry.For = retry.duration("for")
		d.Retry.UpTo = retry.duration("upTo")
	}
	l.checkEncrypted(d, o)
	l.checkSecret(d.Secret, o, "secret")
	return d, o, true
}

// wholeHeader is what Mindbox's and Calltouch's pages show around a secret, and people paste with it.
var wholeHeader = regexp.MustCompile(`(?i)^(authorization:|mindbox\s+secretkey=|secretkey[\s=]|bearer\s|clientapiid=)`)

// checkSecret refuses a secret with what belongs around it, and warns of one with what no secret has in it.
func (l *loader) checkSecret(s Secret, o object, key string) {
	for _, value := range s.Values() {
		switch {
		case wholeHeader.MatchString(value):
			l.Mistake(o.pos(key), "the whole header or parameter stands here, and not the secret in it alone").
				Hint("what stands in its quotes or behind its = alone, without them: Touchbox writes the rest")
		case strings.ContainsFunc(value, func(c rune) bool { return unicode.IsSpace(c) || c == '"' || c == '\'' }):
			l.Warn(o.pos(key), "blanks or quotes stand in the secret, and are sent with it")
		}
	}
}

// headerName is a token as HTTP defines it.
var headerName = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]+$")

func (l *loader) headers(o object) []named {
	var out []named
	for _, e := range o.entries("headers") {
		canonical := http.CanonicalHeaderKey(e.Key)
		switch {
		case !headerName.MatchString(e.Key):
			l.Mistake(e.Pos, "%s is no name of a header", e.Key)
		case mindbox.OwnHeader(canonical):
			l.Mistake(e.Pos, "the header %s is set by Touchbox itself", strictyaml.Word(e.Key))
		default:
			out = append(out, l.named(canonical, e.Value))
		}
	}
	return out
}

// named reads the value of a header or parameter. A broken one is left to the compiling, which
// says what belongs there.
func (l *loader) named(name string, value *strictyaml.Node) named {
	n := named{name: name, value: value}
	if value.Kind != strictyaml.Mapping {
		return n
	}
	if source, ok := l.secretSource(value, MindboxSide); ok {
		n.secret.sources = append(n.secret.sources, source)
	} else {
		n.value = &strictyaml.Node{Pos: value.Pos}
	}
	return n
}

func (l *loader) query(o object) []named {
	var out []named
	for _, e := range o.entries("query") {
		if own, ok := mindbox.OwnParameter(e.Key); ok {
			l.Mistake(e.Pos, "the parameter %s is set by Touchbox itself", strictyaml.Word(own))
			continue
		}
		out = append(out, l.named(e.Key, e.Value))
	}
	return out
}

// checkEncrypted warns of personal data that would cross a network in the clear.
func (l *loader) checkEncrypted(d *Destination, o object) {
	if host, open := unencrypted(d.URL); open {
		l.Warn(o.pos("url"), "phones and the secret would go unencrypted to %s", strictyaml.Word(host)).Code("https://")
	}
}

// unencrypted returns the host of an address and whether what goes there can be read on the way. A
// host on this machine or in this network, as a simulator or a gateway, is near enough.
func unencrypted(address string) (host string, open bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false // who read the address has said so
	}
	host = u.Hostname()
	ip := net.ParseIP(host)
	near := ip != nil && (ip.IsLoopback() || ip.IsPrivate()) || ip == nil && !strings.Contains(host, ".")
	return host, u.Scheme == "http" && !near
}
