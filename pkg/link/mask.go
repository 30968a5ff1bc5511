package link

import (
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/show"
)

// RenderMasked is Render with what is personal or secret masked, as Explain shows it. What the masks leave out of a
// body is what Render leaves out.
func (l *Link) RenderMasked(fields map[string]any) (Rendered, error) {
	c := l.compiledFor(fields)
	r, err := c.render(fields, func(n *bodyNode, v any) any {
		if v == nil {
			return nil
		}
		return maskMade(n.template, v, fields)
	})
	if err == nil {
		c.conceal(r)
		c.maskNamed(r, fields)
		r.DeviceUUID = show.Hide(r.DeviceUUID)
	}
	return r, err
}

// conceal masks the headers and parameters that hold a secret, or a plain text that may be one.
func (c *compiled) conceal(r Rendered) {
	for _, n := range c.headers {
		if n.concealed() {
			r.Header[n.name] = show.Hidden
		}
	}
	for _, n := range c.query {
		if n.concealed() {
			r.Query[n.name] = show.Hidden
		}
	}
}

// maskNamed masks the headers and parameters that hold personal data.
func (c *compiled) maskNamed(r Rendered, fields map[string]any) {
	mask := func(list []namedTemplate, values map[string]string) {
		for _, n := range list {
			text, ok := values[n.name]
			if !ok || n.concealed() {
				continue
			}
			if n.template.Personal() {
				values[n.name] = show.Hidden
			} else if shown, ok := maskMade(n.template, text, fields).(string); ok {
				values[n.name] = shown
			}
		}
	}
	mask(c.headers, r.Header)
	mask(c.query, r.Query)
}

// maskMade is the value that a template has made of these fields, as anybody may see it. What it made
// of ids, numbers and times alone stays.
func maskMade(t *expression.Template, v any, fields map[string]any) any {
	if t.Personal() {
		return maskValue(v)
	}
	for _, name := range t.Reads() {
		if f, ok := calltouch.Lookup(name); !ok || !f.Harmless(expression.Read(fields, name)) {
			return maskTexts(v)
		}
	}
	return v
}

// maskTexts masks what people may have written into the texts of a value.
func maskTexts(v any) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		return show.Mask(v)
	case []string:
		list := make([]any, len(v))
		for i, one := range v {
			list[i] = show.Mask(one)
		}
		return list
	case []any:
		list := make([]any, len(v))
		for i, one := range v {
			list[i] = maskTexts(one)
		}
		return list
	}
	text, err := expression.Text(v)
	if err != nil {
		return show.Hidden
	}
	if hidden := show.Mask(text); hidden != text {
		return hidden
	}
	return v
}

// Mask takes personal data out of the verdict: of a phone the last two digits stay.
func (v Verdict) Mask() { maskConditions(v.Conditions) }

func maskConditions(conditions []Condition) {
	for i, c := range conditions {
		maskSaw(c.Saw)
		if _, yesOrNo := c.Value.(bool); !yesOrNo && c.Value != nil {
			conditions[i].Value = show.Hidden
		}
	}
}

func maskSaw(saw map[string]any) {
	for name, v := range saw {
		f, isField := calltouch.Lookup(name)
		switch {
		case expression.Personal(name):
			saw[name] = maskValue(v)
		case isField:
			saw[name] = f.Masked(v)
		}
	}
}

// maskValue hides a value of any type; nothing stays nothing.
func maskValue(v any) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		if strings.Trim(v, "+-() 0123456789") == "" && strings.ContainsAny(v, "0123456789") {
			return show.Hide(v)
		}
		if v == "" {
			return v
		}
	case map[string]string:
		out := make(map[string]string, len(v))
		for k := range v {
			out[k] = show.Hidden
		}
		return out
	}
	return show.Hidden
}
