// Package demopage is a local page that shows the site script at work, with simulated scripts of
// Calltouch and Mindbox in place of the real ones: one sees the device's id being handed over,
// clicks "call", and sees what arrives at Mindbox.
//
// The page needs nothing from outside and allows itself nothing more: it is served with a strict
// Content-Security-Policy. What lies between the click and Mindbox is given by the caller.
package demopage

import (
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"

	"github.com/touchbox/touchbox/pkg/site"
	"github.com/touchbox/touchbox/pkg/site/sitetest"
)

//go:embed page.html page.js page.css
var files embed.FS

// Config is what a page needs. Call and Status must be set.
type Config struct {
	// Script configures the site script; an empty Site means 10001, an empty Counter abcd1234.
	Script site.Config
	// Call makes the simulated Calltouch send the hook of a finished call of a session, with the
	// attributes that were set for it (nil: none were), and returns the id of the call.
	Call func(ctx context.Context, session string, attrs map[string]string) (id string, err error)
	// Status says what became of a call so far. It is asked twice a second until it has arrived.
	Status func(ctx context.Context, id string) (Status, error)
}

// Status is what Mindbox has of a call. The zero value means that it has not arrived.
type Status struct {
	Arrived    bool   `json:"arrived"`
	Operation  string `json:"operation"`   // which operation brought it
	DeviceUUID string `json:"device_uuid"` // of its query; "" = a static call
}

// policy forbids all that the page does not need; so the site script is seen to need nothing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// maxBody bounds what the page sends, in bytes.
const maxBody = 4 << 10

type handler struct {
	Config
	page *template.Template
	sim  sitetest.Server
}

// Handler serves the page at its root. Under another path it takes http.StripPrefix, and a final
// slash in what people open.
//
//	GET  /?lang=ru           the page; without lang in the browser's language
//	GET  /?script=off        without the site script: the call arrives as a static one
//	GET  /?tracker=off       without Mindbox's tracker: the id of an earlier visit counts
//	POST /call               {"session": "..."} -> {"id": "..."}
//	GET  /status?id=         a Status
func Handler(c Config) http.Handler {
	if c.Script.Site == "" {
		c.Script.Site = "10001"
	}
	if c.Script.Counter == "" {
		c.Script.Counter = "abcd1234"
	}
	h := &handler{Config: c, page: template.Must(template.ParseFS(files, "page.html"))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.show)
	mux.Handle("GET /page.js", http.FileServerFS(files))
	mux.Handle("GET /page.css", http.FileServerFS(files))
	mux.Handle("/site/", site.NewHandler(func(id string) (site.Config, bool) { return c.Script, id == c.Script.Site }))
	mux.Handle("/sim/", http.StripPrefix("/sim", &h.sim))
	mux.HandleFunc("POST /call", h.call)
	mux.HandleFunc("GET /status", h.status)
	return mux
}

func (h *handler) show(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	// Fails only where the browser went away: the template is fixed and tested.
	h.page.Execute(w, view{
		Lang:    language(query.Get("lang"), r.Header.Get("Accept-Language")),
		Counter: h.Script.Counter,
		Script:  site.Path(h.Script.Site)[1:], // relative, so that a prefix does not matter
		NoSite:  query.Get("script") == "off",
		NoTrack: query.Get("tracker") == "off",
	})
}

// call lets the phone ring: what the simulated Calltouch knows of the session goes out.
func (h *handler) call(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Session string `json:"session"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&asked); err != nil || asked.Session == "" {
		http.Error(w, "expected the JSON of a session", http.StatusBadRequest)
		return
	}
	id, err := h.Call(r.Context(), asked.Session, h.sim.Attrs(asked.Session))
	answer(w, map[string]string{"id": id}, err)
}

func (h *handler) status(w http.ResponseWriter, r *http.Request) {
	status, err := h.Status(r.Context(), r.URL.Query().Get("id"))
	answer(w, status, err)
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(value) // a browser that went away needs no answer
}
