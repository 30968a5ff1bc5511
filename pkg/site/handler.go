package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// The path of a script is prefix, site id, suffix.
const (
	prefix = "/site/"
	suffix = ".js"
)

// cacheControl lets a browser keep the script for an hour; after a change of the configuration
// the sites follow within that time. Then the ETag makes the next question cheap.
const cacheControl = "public, max-age=3600"

// NewHandler serves GET and HEAD /site/{site}.js. The lookup says what is configured for a site,
// and false for an unknown one, which is answered 404; it is asked for every request, so that a
// reloaded configuration holds at once.
func NewHandler(lookup func(site string) (Config, bool)) http.Handler {
	return &handler{lookup: lookup}
}

type handler struct {
	lookup func(string) (Config, bool)
	files  sync.Map // Config -> *file, few: one per site and configuration
}

// file is a script ready to be sent.
type file struct {
	plain, gzip []byte
	etag        string
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	config, ok := h.find(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	h.file(config).serve(w, r)
}

func (h *handler) find(path string) (Config, bool) {
	name, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return Config{}, false
	}
	site, ok := strings.CutSuffix(name, suffix)
	if !ok || site == "" {
		return Config{}, false
	}
	return h.lookup(site)
}

func (h *handler) file(c Config) *file {
	if known, ok := h.files.Load(c); ok {
		return known.(*file)
	}
	known, _ := h.files.LoadOrStore(c, newFile(Script(c)))
	return known.(*file)
}

func newFile(script []byte) *file {
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // fails only for an unknown level
	z.Write(script)                                            // a Buffer takes everything
	z.Close()
	sum := sha256.Sum256(script)
	return &file{
		plain: script,
		gzip:  packed.Bytes(),
		// Weak, because it stands for both encodings.
		etag: `W/"` + hex.EncodeToString(sum[:8]) + `"`,
	}
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", cacheControl)
	header.Set("ETag", f.etag)
	header.Set("Vary", "Accept-Encoding")
	header.Set("X-Content-Type-Options", "nosniff")
	// Any site may load it, also one that asks for isolation (COEP) or loads with crossorigin.
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if matches(r.Header.Values("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.plain
	if takesGzip(r.Header.Values("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	header.Set("Content-Type", "text/javascript; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body) // a browser that went away needs no answer
	}
}

// matches compares an If-None-Match with an ETag, weakly as RFC 9110 asks: W/ does not count.
func matches(fields []string, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// takesGzip reads Accept-Encoding: gzip by name, or by * where its name is not there, with a
// weight other than 0.
func takesGzip(fields []string) bool {
	star := false
	for coding := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		key, value, _ := strings.Cut(strings.TrimSpace(weight), "=")
		q := 1.0
		if strings.EqualFold(strings.TrimSpace(key), "q") {
			q, _ = strconv.ParseFloat(strings.TrimSpace(value), 64) // unreadable: 0, the plain text is always right
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return q > 0
		case "*":
			star = q > 0
		}
	}
	return star
}
