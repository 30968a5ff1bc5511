// Package site gives a Calltouch site the script that hands Mindbox's device id to Calltouch.
//
// The script runs on the site's pages: it waits for Mindbox's id and for Calltouch, and sets the
// id as an attribute of the visit, which Calltouch then sends with every call and request of it.
// So Mindbox knows who called. Without the script (or an equal one of the site's own) calls arrive
// without the id, and go the way of the static ones.
//
// script.js is the readable source; script.min.js, made from it by tools/minify, is what is
// served. The package puts the configuration of a site into it and serves it. It knows nothing of
// events: the script talks to Calltouch in the browser, never to Touchbox.
package site

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"unicode/utf16"

	"github.com/touchbox/touchbox/pkg/defaults"
)

//go:embed script.min.js
var minified string

// placeholder is where the configuration goes in the script, once.
const placeholder = "TOUCHBOX_CONFIG"

// DefaultDevice is the attribute that carries Mindbox's id where the configuration names none.
const DefaultDevice = defaults.Device

// Config is what the script of one site must know. The zero value works: it is the script for a
// page whose Calltouch loader says which counter it is.
type Config struct {
	Site    string // Calltouch's site id, to be read in the browser's console; "" = not said
	Counter string // Calltouch's counter (modId); "" = the one of its loader or cookie on the page
	Device  string // name of the attribute; "" = DefaultDevice
	Consent string // a global function of the page or the name of an event; "" = no consent needed
}

// Script is the minified script for one site: ASCII text that may stand between <script> tags.
// Whatever the configuration holds stays data in it.
func Script(c Config) []byte {
	before, after, _ := strings.Cut(minified, placeholder)
	return []byte(before + c.literal() + after)
}

// literal is the configuration as a JavaScript literal that neither HTML nor the page's character
// set can change: everything outside ASCII (U+2028 ends a line in ES5) and <, >, & are escaped.
func (c Config) literal() string {
	if c.Device == "" {
		c.Device = DefaultDevice
	}
	data, err := json.Marshal(struct {
		Site    string `json:"site,omitempty"`
		Counter string `json:"counter,omitempty"`
		Attr    string `json:"attr"`
		Consent string `json:"consent,omitempty"`
	}{c.Site, c.Counter, c.Device, c.Consent})
	if err != nil {
		panic("site: four strings do not marshal: " + err.Error()) // unreachable
	}
	return escapeNonASCII(string(data))
}

func escapeNonASCII(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// Inline is the script between tags, to be pasted into a page itself. Under a
// Content-Security-Policy the tag needs the page's nonce, which the page must add.
func Inline(c Config) string {
	return "<script>" + strings.TrimSpace(string(Script(c))) + "</script>"
}

// Tag is the tag that loads the script of a site from Touchbox. The address is that of ingest as
// browsers see it, with its scheme: https://touchbox.example.
func Tag(address, site string) string {
	src := strings.TrimRight(address, "/") + Path(site)
	return `<script async src="` + html.EscapeString(src) + `"></script>`
}

// Path is where NewHandler serves the script of a site.
func Path(site string) string { return prefix + url.PathEscape(site) + suffix }
