// Command worker reads the stored events by link, renders Mindbox operations and delivers them.
package main

import (
	"os"

	"github.com/touchbox/touchbox/cmd/internal/app"
)

func main() {
	program := app.Program{
		Name:    "worker",
		Summary: "worker reads the stored events by link, renders Mindbox operations and delivers them.",
		Admin:   func(s app.Settings) string { return s.WorkerAdminAddr },
		Run:     app.RunWorker,
	}
	os.Exit(program.Main(os.Args[1:], os.Stdout, os.Stderr))
}
