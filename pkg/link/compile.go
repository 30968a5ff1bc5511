package link

import (
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// compiled is what a link runs for sites that read times and phones alike.
type compiled struct {
	site     *Site // the first of them
	when     []*expression.Expression
	device   *expression.Template
	headers  []namedTemplate
	query    []namedTemplate
	body     *bodyNode
	require  []string // fields of the body
	anyOf    bool     // one of require is enough: the default
	machines expression.Machines
}

// namedTemplate is a header or query parameter: a template or a secret.
type namedTemplate struct {
	name     string
	template *expression.Template // nil for a secret
	secret   Secret
}

// concealed reports whether the value is shown to nobody: a secret, or a plain text, which may be one.
func (n namedTemplate) concealed() bool {
	if n.template == nil {
		return true
	}
	_, constant := n.template.Constant()
	return constant
}

// compiledFor picks the programs for an event by its siteId; the first ones where it says none.
func (l *Link) compiledFor(fields map[string]any) *compiled {
	if len(l.variants) > 1 {
		if id, ok := fields["siteId"].(string); ok && l.bySite[id] != nil {
			return l.bySite[id]
		}
	}
	return l.variants[0]
}

// compileLink compiles a link once for each way in which its sites read times and phones.
func (l *loader) compileLink(link *Link, o object) {
	link.bySite = map[string]*compiled{}
	sites := link.sites
	if len(sites) == 0 {
		sites = []*Site{{Site: calltouch.Site{Location: time.UTC, Device: defaultDevice}}}
	}
	for _, site := range sites {
		i := slices.IndexFunc(link.variants, func(c *compiled) bool {
			return c.site.Location.String() == site.Location.String() && c.site.TenDigits == site.TenDigits
		})
		if i < 0 {
			i = len(link.variants)
			link.variants = append(link.variants, l.compileFor(link, site, o))
		}
		link.bySite[site.ID] = link.variants[i]
	}
}

func (l *loader) compileFor(link *Link, site *Site, o object) *compiled {
	var d destinationTemplates
	if link.To != nil {
		d = l.templates[link.To.Name]
	}
	events := l.eventsOf(link, site)
	events.Format = d.format
	s := l.names.Scope(events)
	c := &compiled{site: site}
	l.compileWhen(c, o, s)
	c.headers = l.compileNamed(d.headers, s)
	c.query = l.compileNamed(d.query, s)
	if n := o.node.Get("deviceUUID"); n != nil {
		if _, ok := l.ScalarText(n); ok {
			c.device = s.Template(n.Text, l.inText(n))
		}
	}
	c.body = l.body(o.node.Get("body"), s)
	l.compileRequire(c, o)
	l.checkContacts(c)
	return c
}

// checkContacts proposes phone() and email() where something else than their results goes to the customer's phone
// and address.
func (l *loader) checkContacts(c *compiled) {
	if c.body == nil {
		return
	}
	c.body.walk(func(b *bodyNode) {
		need := needs(b.path)
		if need == "" || b.template == nil || strings.Contains(b.template.Source(), need+"(") {
			return
		}
		reads := b.template.Reads()
		switch {
		case len(reads) == 0:
		case need == "phone":
			l.Warn(b.pos, "what is no number to call back, a hidden or an internal one, would be sent as a phone").Code("${phone(%s)}", reads[0])
		default:
			l.Warn(b.pos, "what is no e-mail address would be sent as one, and Mindbox saves nothing of such a customer").Code("${email(%s)}", reads[0])
		}
	})
}

func (l *loader) compileWhen(c *compiled, o object, s *expression.Scope) {
	for _, n := range o.nodes("when") {
		text, ok := l.ScalarText(n)
		if !ok {
			continue
		}
		if e := s.Condition(text, l.inText(n)); e != nil {
			c.when = append(c.when, e)
			if len(e.Reads()) == 0 {
				l.Warn(n.Pos, "this condition reads nothing of the event: it is the same for all")
			}
		}
	}
}

func (l *loader) compileNamed(list []named, s *expression.Scope) []namedTemplate {
	var out []namedTemplate
	for _, n := range list {
		if n.secret.Set() {
			out = append(out, namedTemplate{name: n.name, secret: n.secret})
			continue
		}
		if _, ok := l.ScalarText(n.value); !ok {
			continue
		}
		if t := s.Template(n.value.Text, l.inText(n.value)); t != nil {
			out = append(out, namedTemplate{name: n.name, template: t})
		}
	}
	return out
}

// compileRequire marks the fields of the body that must come.
func (l *loader) compileRequire(c *compiled, o object) {
	if c.body == nil {
		return
	}
	n := o.node.Get("require")
	if n == nil {
		c.anyOf = true
		c.body.walk(func(b *bodyNode) {
			if mindbox.Identifies(b.path) {
				c.mark(b)
			}
		})
		if len(c.require) == 0 {
			l.Mistake(o.pos("body"), "the body names no identifier of the customer, so every event would be undeliverable").
				Hint("add customer.mobilePhone, or write require: []")
		}
		return
	}
	if n.Kind != strictyaml.Sequence {
		l.NotA(n, "a list")
		return
	}
	for _, item := range n.Items {
		path, ok := l.ScalarText(item)
		if !ok {
			continue
		}
		b := c.body.find(path)
		if b == nil {
			l.Mistake(item.Pos, "the body has no field %s, so every event would be undeliverable", path).Suggest(path, c.body.paths())
			continue
		}
		c.mark(b)
	}
}

func (c *compiled) mark(b *bodyNode) {
	if b.require == 0 {
		c.require = append(c.require, b.path)
		b.require = len(c.require)
	}
}

func (n *bodyNode) paths() []string {
	var out []string
	n.walk(func(c *bodyNode) {
		if c.path != "" {
			out = append(out, c.path)
		}
	})
	return out
}

// Reads lists the fields of an event that the link reads anywhere: "duration", "attrs.promo".
func (l *Link) Reads() []string {
	var reads []string
	for _, c := range l.variants {
		for _, e := range c.when {
			reads = append(reads, e.Reads()...)
		}
		c.body.walk(func(n *bodyNode) {
			if n.template != nil {
				reads = append(reads, n.template.Reads()...)
			}
		})
		for _, n := range slices.Concat(c.headers, c.query) {
			if n.template != nil {
				reads = append(reads, n.template.Reads()...)
			}
		}
		if c.device != nil {
			reads = append(reads, c.device.Reads()...)
		}
	}
	slices.Sort(reads)
	return slices.Compact(reads)
}

// Sources are the fields of the link's body that an event changes, by their dotted paths, each as it stands in the file: ${...}.
func (l *Link) Sources() map[string]string {
	sources := map[string]string{}
	l.variants[0].body.walk(func(n *bodyNode) {
		if n.template != nil {
			sources[n.path] = n.template.Source()
		}
	})
	return sources
}
