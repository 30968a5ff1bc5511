package console

import (
	"bytes"
	"html/template"
	"maps"
	"slices"

	"github.com/touchbox/touchbox/pkg/lang"
)

// PageNames are the names of all templates of pages.
func (c *Console) PageNames() []string { return slices.Sorted(maps.Keys(c.pages[lang.English])) }

// Watch has f see every view that a page, or a part of one, is made of from now on. No page may have been shown before.
func (c *Console) Watch(f func(page string, view any)) {
	for _, set := range c.pages {
		for name, t := range set {
			see := func(data any) string {
				if around, ok := data.(frame); ok {
					data = around.View
				}
				f(name, data)
				return ""
			}
			watched := template.Must(t.Clone()).Funcs(template.FuncMap{"seen": see})
			template.Must(watched.AddParseTree("unwatched", t.Lookup("base.html").Tree))
			set[name] = template.Must(watched.Parse(`{{seen .}}{{template "unwatched" .}}`))
		}
	}
}

// Render makes a page of a view, with a text in all that stands around it.
func (c *Console) Render(l lang.Language, name string, view any, around string) (string, error) {
	f := frame{page: page{Name: name, Title: around, View: view}, Lang: l, Who: around, Role: Role(around), Done: around, Static: c.prefix + c.static.path}
	for _, one := range languages {
		f.Languages = append(f.Languages, languageLink{Lang: one, Href: "?lang=" + string(one), Now: one == l})
	}
	f.Nav = []navItem{{Href: "/" + around, Label: around, Count: 12_345, Alarming: true, Now: true}, {Href: "/", Label: "x"}}
	f.More = f.Nav
	var b bytes.Buffer
	err := c.pages[l][name].ExecuteTemplate(&b, "base.html", f)
	return b.String(), err
}
