package console

import (
	"github.com/touchbox/touchbox/pkg/admin"
)

// settingsView is what the file and the environment say, as far as anybody may see it.
type settingsView struct {
	File    string
	Broken  bool
	Version string
	Card    admin.FileCard
}

func (v *visit) settings() error {
	view := settingsView{File: v.c.File, Broken: v.c.Broken(), Version: v.c.Version, Card: v.admin.FileCard()}
	v.show(page{Name: "settings", Title: v.lang.Text("Settings"), Group: "/settings", View: view})
	return nil
}

// healthView is how full the queue is, and what its processes find of it.
type healthView struct {
	Attention []attention
	Streams   []admin.StreamCard
	Processes []admin.ProcessCard
	Command   string
}

func (v *visit) health() error {
	streams, err := v.admin.Streams(v.ctx())
	if err != nil {
		return err
	}
	processes, err := v.admin.Processes(v.ctx())
	if err != nil {
		return err
	}
	// Links that cannot be asked how they stand are no reason to say nothing of the queue.
	needs, _ := v.needs("/health", func(a admin.Attention) bool { return a.Kind == admin.AttentionDisk || a.Kind == admin.AttentionUnwell })
	v.show(page{Name: "health", Title: v.lang.Text("Health"), Group: "/health", View: healthView{needs, streams, processes, "touchbox doctor"}})
	return nil
}
