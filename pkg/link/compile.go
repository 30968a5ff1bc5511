package link

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/expr-lang/expr/vm"
)

// programs are what a link runs.
type programs struct {
	sites    []*Site
	variants []*compiled          // one per difference between the sites' settings
	bySite   map[string]*compiled // by Calltouch's site id
	document []byte               // see Document
	pos      Pos
}

// compiled is a link for sites that read times and phones alike.
type compiled struct {
	settings
	when    []*expression
	texts   []string // of when, as they stand in the file
	device  *template
	headers []namedTemplate
	query   []namedTemplate
	body    *bodyNode
	require []string // fields of the body
	anyOf   bool     // one of require is enough: the default
	vms     sync.Pool
}

type namedTemplate struct {
	name     string
	template *template
}

// vm lends a machine, so that no event pays for a new one.
func (c *compiled) vm() *vm.VM {
	if m, ok := c.vms.Get().(*vm.VM); ok {
		return m
	}
	return &vm.VM{}
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
		sites = []*Site{{Location: time.UTC, Device: defaultDevice}}
	}
	for _, site := range sites {
		i := slices.IndexFunc(link.variants, func(c *compiled) bool {
			return c.location.String() == site.Location.String() && c.tenDigits == site.TenDigits
		})
		if i < 0 {
			i = len(link.variants)
			link.variants = append(link.variants, l.compileFor(link, site, o))
		}
		link.bySite[site.ID] = link.variants[i]
	}
}

func (l *loader) compileFor(link *Link, site *Site, o object) *compiled {
	s := l.everywhere()
	if len(link.sites) > 0 {
		s.attrs, s.sites, s.kinds = nil, link.sites, link.Kinds
		for _, site := range link.sites {
			s.attrs = append(s.attrs, site.Attrs...)
		}
		s.attrs = sorted(s.attrs)
	}
	s.names = s.ready()
	s.location, s.tenDigits = site.Location, site.TenDigits
	var d destinationTemplates
	if link.To != nil {
		d = l.templates[link.To.Name]
	}
	s.format = d.format
	c := &compiled{settings: s.settings}
	l.compileWhen(c, o, s)
	c.headers = l.compileNamed(d.headers, s)
	c.query = l.compileNamed(d.query, s)
	if n := o.node.get("deviceUUID"); n != nil {
		if _, ok := l.scalarText(n); ok {
			c.device = l.template(n, s)
		}
	}
	c.body = l.body(o.node.get("body"), s)
	l.compileRequire(c, o)
	return c
}

func (l *loader) compileWhen(c *compiled, o object, s scope) {
	for _, n := range o.nodes("when") {
		text, ok := l.scalarText(n)
		if !ok {
			continue
		}
		if strings.HasPrefix(text, "${") {
			l.mistake(n.pos, "conditions stand without ${ }")
			continue
		}
		if e := l.compile(origin{node: n, text: text}, s, wantCondition); e != nil {
			c.when = append(c.when, e)
			c.texts = append(c.texts, text)
			if len(e.reads) == 0 {
				l.warn(n.pos, "this condition reads nothing of the event: it is the same for all")
			}
		}
	}
}

func (l *loader) compileNamed(list []named, s scope) []namedTemplate {
	var out []namedTemplate
	for _, n := range list {
		if _, ok := l.scalarText(n.value); !ok {
			continue
		}
		if t := l.template(n.value, s); t != nil {
			out = append(out, namedTemplate{n.name, t})
		}
	}
	return out
}

// compileRequire marks the fields of the body that must come.
func (l *loader) compileRequire(c *compiled, o object) {
	if c.body == nil {
		return
	}
	n := o.node.get("require")
	if n == nil {
		c.anyOf = true
		c.body.walk(func(b *bodyNode) {
			if identifies(b.path) {
				c.mark(b)
			}
		})
		if len(c.require) == 0 {
			l.mistake(o.pos("body"), "the body names no identifier of the customer, so every event would be undeliverable").
				hint("add customer.mobilePhone, or write require: []")
		}
		return
	}
	if n.kind != sequence {
		l.notA(n, "a list")
		return
	}
	for _, item := range n.items {
		path, ok := l.scalarText(item)
		if !ok {
			continue
		}
		b := c.body.find(path)
		if b == nil {
			l.mistake(item.pos, "the body has no field %s, so every event would be undeliverable", path).suggest(path, c.body.paths())
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

// identifies reports whether Mindbox can find or create a customer by the field.
func identifies(path string) bool {
	switch path {
	case "customer.mobilePhone", "customer.email", "customer.discountCard.ids.number":
		return true
	}
	id, ok := strings.CutPrefix(path, "customer.ids.")
	return ok && !strings.Contains(id, ".")
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
