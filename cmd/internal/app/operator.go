package app

import (
	"os"
	"os/user"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// CommandActor is who gives a command: the user of this machine, before sudo where there was one, and its name.
func CommandActor() admin.Actor {
	host, _ := os.Hostname() // none: ""
	a := admin.Actor{Name: os.Getenv("SUDO_USER"), By: admin.ByCLI, Address: host}
	if u, err := user.Current(); a.Name == "" && err == nil {
		a.Name = u.Username
	}
	return a
}

// NewAdmin is what asks and acts for a person on this queue: it reads events as their sites are configured, and knows from
// the table of verdicts what an attempt may have done.
func NewAdmin(q *queue.Queue, file *link.File) admin.Admin {
	return admin.Admin{
		Queue: q, File: file, Fields: reader(file), Reads: reader,
		MayHaveRun: func(reason string) bool { return mindbox.Reason(reason).MayHaveRun() },
	}
}

// reader reads events as the sites of a file are configured.
func reader(file *link.File) func(event.Event) (map[string]any, error) {
	return func(e event.Event) (map[string]any, error) { return calltouch.Parse(e, file.View(e.Key.Site)) }
}
