package console

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/lang"
)

//go:embed templates
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// languages are those in which every page can be had.
var languages = []lang.Language{lang.English, lang.Russian}

// partHeader names the region of a page that the script wants alone.
const partHeader = "X-Part"

// pages are the templates, by language and name of the page.
type pages map[lang.Language]map[string]*template.Template

// page is what is shown.
type page struct {
	Name   string // of the template
	Title  string // in the person's language
	View   any
	Status int
	Group  string // address of the navigation's entry that it belongs to

	Refresh int // a browser without scripts loads it anew after so many seconds; 0: it stays
}

// frame is what the template of every page gets.
type frame struct {
	page
	Lang      lang.Language
	Languages []languageLink
	Nav       []navItem
	More      []navItem
	Who       string
	Role      Role
	Done      string // what the last action did
	Static    string // path of the static files
}

type languageLink struct {
	Lang lang.Language
	Href string
	Now  bool
}

// navItem is an entry of the navigation.
type navItem struct {
	Href, Label string
	Count       uint64 // 0 is not shown
	Alarming    bool
	Now         bool
}

// parse reads the templates, once for each language.
func (c *Console) parse() pages {
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is fixed
	}
	all := pages{}
	for _, l := range languages {
		all[l] = map[string]*template.Template{}
		for _, name := range names {
			if base := path.Base(name); base != "base.html" && base != "parts.html" {
				t := template.New("base.html").Funcs(c.functions(l))
				all[l][strings.TrimSuffix(base, ".html")] = template.Must(t.ParseFS(templateFiles, "templates/base.html", "templates/parts.html", name))
			}
		}
	}
	return all
}

// show answers with a page, or with the one region of it that the script asks for.
func (v *visit) show(p page) {
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	t, name, data := v.c.pages[v.lang][p.Name], "base.html", any(nil)
	if part := v.r.Header.Get(partHeader); part != "" && t.Lookup(part) != nil && strings.HasPrefix(part, "part-") {
		name, data = part, p.View
	} else {
		data = v.frame(p)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		v.c.Log.Error().Err(err).Str("page", p.Name).Msg("console: a page could not be made")
		http.Error(v.w, "this page could not be made; the log says why", http.StatusInternalServerError)
		return
	}
	v.send(b.Bytes(), p.Status)
}

// send writes a page, unless the script has the same one.
func (v *visit) send(body []byte, status int) {
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Vary", "Cookie, Accept-Language, "+partHeader)
	if status == http.StatusOK && v.r.Method == http.MethodGet {
		sum := sha256.Sum256(body)
		tag := `"` + hex.EncodeToString(sum[:8]) + `"`
		h.Set("ETag", tag)
		if v.r.Header.Get("If-None-Match") == tag {
			v.w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body) // a browser that went away needs no answer
}

// frame is what stands around every page.
func (v *visit) frame(p page) frame {
	f := frame{page: p, Lang: v.lang, Who: v.who.Name, Role: Role(v.who.Role), Static: v.c.prefix + v.c.static.path, Done: v.done()}
	for _, l := range languages {
		f.Languages = append(f.Languages, languageLink{Lang: l, Href: v.withQuery("lang", string(l)), Now: l == v.lang})
	}
	if v.who.Name != "" {
		f.Nav, f.More = v.navigation(p)
	}
	return f
}

// withQuery is the address of this page with one parameter set.
func (v *visit) withQuery(name, value string) string {
	q := v.r.URL.Query()
	if v.r.Method != http.MethodGet {
		q = url.Values{}
	}
	q.Set(name, value)
	return "?" + q.Encode()
}

// Errors that a page may end with.
var (
	errNoPage    = errors.New("there is no such page")
	errForbidden = errors.New("your role may not do that")
	errTooMany   = errors.New("that was done too often")
	errBadForm   = errors.New("the form was not filled in as it should be")
)

// errorView is a page that says what went wrong and what to do.
type errorView struct {
	What string
	Hint string
	ID   string // stands in the log too; "" where there is nothing to look up

	Again bool   // the page may be opened in a moment
	Whole string // address of the list without the filter that cannot be read
}

// fail answers with the page of an error.
func (v *visit) fail(err error) {
	view, status := v.explain(err)
	if view.Again = status == http.StatusServiceUnavailable && v.r.Method == http.MethodGet; view.Again {
		v.w.Header().Set("Refresh", "5") // a browser asks again by itself
	}
	v.show(page{Name: "error", Title: v.lang.Text("That did not work"), View: view, Status: status})
}

// explain says what an error is to a person; one that nobody here can do anything about stands in the log too.
func (v *visit) explain(err error) (view errorView, status int) {
	switch {
	case errors.Is(err, errNoPage), errors.Is(err, admin.ErrNoLink), errors.Is(err, admin.ErrUnknown), errors.Is(err, admin.ErrNoJob):
		status = http.StatusNotFound
		view.What = v.lang.Text("There is nothing here: it was never stored, is older than what is kept, or the address is mistyped.")
	case errors.Is(err, admin.ErrReading):
		status = http.StatusServiceUnavailable
		view.What = v.lang.Text("What became of the events is still being read.")
		if share := v.admin.Board.Share(); share < 1 { // else it is what waits or was not delivered that is read
			view.What = v.lang.Sprintf("What became of the events is still being read: %.0f %%.", math.Floor(100*share))
		}
		view.Hint = v.lang.Text("Nothing is known yet, which is not the same as nothing. Load this page again in a moment.")
	case errors.Is(err, errForbidden):
		status = http.StatusForbidden
		view.What = v.lang.Text("Your role may not do that.")
		view.Hint = v.lang.Text("Roles stand in touchbox.yaml under console: ask whoever keeps that file.")
	case errors.Is(err, errBadForm):
		status = http.StatusBadRequest
		view.What = v.lang.Text("The form was not filled in as it should be: nothing was done.")
		if v.r.Method == http.MethodGet {
			view.What = v.lang.Text("The address asks for what cannot be: nothing was looked for, so this is no empty list.")
		}
		if field, ok := errors.AsType[errField](err); ok {
			if v.r.Method == http.MethodGet && v.r.URL.Path != "/replays/new" { // without a filter that is about everything
				view.Whole = v.r.URL.Path
			}
			view.Hint = v.lang.Text(fieldTitles[field.name]) + ": " + field.said(v.lang)
		}
	case errors.Is(err, errTooMany):
		status = http.StatusTooManyRequests
		view.What = v.lang.Text("That was done too often: wait a while.")
	case errors.Is(err, admin.ErrAuditFull):
		status = http.StatusServiceUnavailable
		view.What = v.lang.Text(admin.ErrAuditFull.Error())
	case admin.Refusal(err) != nil:
		status = http.StatusConflict
		view.What = v.lang.Text(admin.Refusal(err).Error())
	default:
		view.What, status = v.lang.Text("The queue does not answer: nothing is known of events just now, and nothing is lost."), http.StatusServiceUnavailable
		view.Hint = v.lang.Text("This page may be loaded again at any time. The log of Touchbox has more under the number below.")
		view.ID = rand.Text()[:8]
		v.c.Log.Error().Err(err).Str("id", view.ID).Str("path", v.r.Pattern).Msg("console: a page failed")
	}
	return view, status
}

// languageOf is the language of a request: asked for now, chosen before, or the browser's.
func languageOf(w http.ResponseWriter, r *http.Request) lang.Language {
	if asked := r.URL.Query().Get("lang"); asked == string(lang.Russian) || asked == string(lang.English) {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: asked, Path: "/", MaxAge: int(languageForever.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode})
		return lang.Language(asked)
	}
	if cookie, err := r.Cookie(languageCookie); err == nil {
		return lang.Detect(cookie.Value, noEnvironment)
	}
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	return lang.Detect(first, noEnvironment)
}

func noEnvironment(string) string { return "" }

// assets are the static files under a path that names their content, so that browsers may keep them for ever.
type assets struct {
	path  string
	hash  string
	files map[string][]byte
}

func readAssets() *assets {
	a := &assets{files: map[string][]byte{}}
	sum := sha256.New()
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, e := range entries {
		data, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		a.files[e.Name()] = data
		_, _ = fmt.Fprintf(sum, "%s %d %s", e.Name(), len(data), data)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil)[:6])
	a.path = "/static/" + a.hash
	return a
}

// assetTypes are the content types of the static files.
var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	data, ok := a.files[r.PathValue("name")]
	if !ok || r.PathValue("hash") != a.hash {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(r.PathValue("name"))])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(data)
}
