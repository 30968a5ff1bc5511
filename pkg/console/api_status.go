package console

import (
	"net/http"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// statusView is the overview for a program: whether somebody has to do something, and how all stands.
type statusView struct {
	At        time.Time            `json:"at"`       // as of then
	Alarming  int                  `json:"alarming"` // of the attention list: nothing mends it but a person
	Attention []attentionView      `json:"attention"`
	Links     []admin.LinkStatus   `json:"links"`
	Sources   []admin.SourceStatus `json:"sources"`
	Streams   []streamView         `json:"streams"`
	Broken    bool                 `json:"file_broken"` // the file on disk has mistakes, the one before is in force
	Version   string               `json:"version"`     // of Touchbox
}

// attentionView is one thing that needs a person.
type attentionView struct {
	What     string `json:"what"`
	Hint     string `json:"hint,omitempty"`
	Page     string `json:"page"` // of the console
	Alarming bool   `json:"alarming"`
}

// streamView is how full a part of the queue is.
type streamView struct {
	Name     string  `json:"name"`
	Messages uint64  `json:"messages"`
	Bytes    int64   `json:"bytes"`
	Limit    int64   `json:"limit"` // in bytes; 0: none
	Share    float64 `json:"share"` // of the limit
}

func (v *visit) apiStatus() error {
	if _, _, err := v.asks(); err != nil {
		return err
	}
	latest, err := v.admin.Latest(v.ctx())
	if err != nil {
		return err
	}
	now := standingOf(latest)
	view := statusView{
		At: now.at.UTC(), Attention: []attentionView{}, Links: now.links, Sources: now.sites, Streams: []streamView{}, Broken: v.c.Broken(), Version: v.c.Version,
	}
	if view.Links == nil {
		view.Links = []admin.LinkStatus{}
	}
	if view.Sources == nil {
		view.Sources = []admin.SourceStatus{}
	}
	for _, one := range v.attention(now) {
		if one.Alarming {
			view.Alarming++
		}
		view.Attention = append(view.Attention, attentionView{one.What, one.Hint, v.pageAddress(one.Href), one.Alarming})
	}
	for _, s := range latest.Streams() {
		view.Streams = append(view.Streams, streamView{s.Name, s.Messages, s.Bytes, s.Limit, s.Share})
	}
	return v.answer(http.StatusOK, view)
}

// pageAddress is the address of a page, whole where it is known by which address people reach the console.
func (v *visit) pageAddress(path string) string {
	if v.c.URL == nil {
		return v.c.prefix + path
	}
	return v.c.URL.Scheme + "://" + v.c.URL.Host + v.c.prefix + path
}
