package console_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/site/browsertest"
)

// TestPictures takes a picture of every page into the folder that PICTURES names, for a person to look at: of a house at work, of one to
// which nothing has come yet, and of what goes wrong.
func TestPictures(t *testing.T) {
	folder := os.Getenv("PICTURES")
	if folder == "" {
		t.Skip("SKIPPED: PICTURES names no folder for the pictures; make pictures does")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	tab := chromium.Tab(t)
	c := newClinic(t)
	c.enter(tab, "admin")
	c.photograph(tab, folder, "", append(walkAll(c.signedIn(adminKey), "en").kinds(t),
		"/nothing", "/replays/new?link=calls-dynamic&outcome=dead", "/replays/new?link=calls-static&outcome=filtered", "/links/requests", "/links/missed-sms", "/events/"+c.delivered.String(),
		"/events/"+c.firstOfDead.String(), "/events/"+c.retried.String(), "/events?outcome=undeliverable", "/links/calls-dynamic", "/sites/10002", "/events?since=yesterdy"))
	c.photographed(tab, folder, "find", "/", func() { tab.Type("#find", "148004"); tab.Click(".find button"); tab.Wait("location.pathname !== '/'") })
	c.photographed(tab, folder, "found-by-phone", "/", func() {
		tab.Type("#find", "+7 900 1")
		tab.Click(".find button")
		tab.Wait("document.readyState === 'complete'")
	})
	c.photographed(tab, folder, "revealed", "/events/"+c.firstOfDead.String(), func() {
		tab.Click("form[action$='/reveal'] button")
		tab.Wait("location.pathname.endsWith('/reveal')")
	})

	tab.Open("about:blank")
	empty := newHouse(t, nil)
	empty.enter(tab, "act")
	empty.photograph(tab, folder, "empty-", []string{"/", "/live", "/events", "/causes", "/deadletters", "/retries", "/aside", "/links/dynamic", "/sites/10001", "/jobs"})
	empty.away()
	empty.photograph(tab, folder, "away-", []string{"/events"})
}

// photograph takes pictures of pages in both languages, light and dark, wide and on a phone.
func (h *house) photograph(tab *browsertest.Tab, folder, prefix string, pages []string) {
	h.t.Helper()
	for _, path := range pages {
		name := strings.Trim(strings.NewReplacer("/", "-", "?", "-", "&", "-", "=", "-").Replace(path), "-")
		if name == "" {
			name = "overview"
		}
		for _, language := range []string{"ru", "en"} {
			join := "?"
			if strings.Contains(path, "?") {
				join = "&"
			}
			tab.Open(h.server.URL + path + join + "lang=" + language)
			h.looks(tab, folder, prefix+name+"."+language)
		}
	}
}

// photographed takes pictures of what a page leads to, in Russian.
func (h *house) photographed(tab *browsertest.Tab, folder, name, path string, lead func()) {
	h.t.Helper()
	tab.Open(h.server.URL + path + "?lang=ru")
	lead()
	h.looks(tab, folder, name+".ru")
}

func (h *house) looks(tab *browsertest.Tab, folder, name string) {
	h.t.Helper()
	tab.TakeErrors() // of pages that are errors themselves
	for _, width := range []int{1200, 390} {
		for look, dark := range map[string]bool{"": false, "-dark": true} {
			file := filepath.Join(folder, fmt.Sprintf("%s.%d%s.png", name, width, look))
			if err := os.WriteFile(file, tab.Page(width, dark), 0o644); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

var update = flag.Bool("update", false, "take the pictures of the docs anew")

// TestPicturesOfTheDocs takes, with -update, the pictures that the docs and the README show.
func TestPicturesOfTheDocs(t *testing.T) {
	if !*update {
		t.Skip("SKIPPED: -update takes the pictures anew")
	}
	tab := chromium.Tab(t)
	c := newClinic(t)
	c.enter(tab, "admin")
	for _, one := range []struct {
		name, path string
		high       int // more is cut off
	}{
		{"overview", "/", 1010}, {"event", "/events/" + c.firstOfDead.String(), 1080}, {"replay", "/replays/new?link=calls-dynamic&reason=validation_error", 760},
	} {
		for _, language := range []string{"en", "ru"} {
			join := "?"
			if strings.Contains(one.path, "?") {
				join = "&"
			}
			tab.Open(c.server.URL + one.path + join + "lang=" + language)
			file := filepath.Join("..", "..", "docs", "img", "console-"+one.name+"."+language+".png")
			if err := os.WriteFile(file, smaller(t, tab.Page(1200, false), one.high), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	tab.Open("about:blank")
}

// smaller is a picture cut off at a height, in the 256 colours that it has most of.
func smaller(t *testing.T, data []byte, high int) []byte {
	t.Helper()
	whole, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	area := whole.Bounds().Intersect(image.Rect(0, 0, whole.Bounds().Dx(), high))
	found := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(whole.At(x, y)).(color.RGBA) }
	for y := range area.Dy() {
		for x := range area.Dx() {
			found[at(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(found), func(a, b color.RGBA) int { return found[b] - found[a] })
	var colours color.Palette
	for _, one := range most[:min(len(most), 256)] {
		colours = append(colours, one)
	}
	few, index := image.NewPaletted(area, colours), map[color.RGBA]uint8{}
	for one := range found {
		index[one] = uint8(colours.Index(one))
	}
	for y := range area.Dy() {
		for x := range area.Dx() {
			few.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
