// Command ingest takes Calltouch's webhooks, reads its APIs, and stores the raw events.
package main

import (
	"os"

	"github.com/touchbox/touchbox/cmd/internal/app"
)

func main() {
	program := app.Program{
		Name:    "ingest",
		Summary: "ingest takes Calltouch's webhooks, reads its APIs, and stores the raw events in JetStream.",
		Admin:   func(s app.Settings) string { return s.IngestAdminAddr },
		Run:     app.RunIngest,
	}
	os.Exit(program.Main(os.Args[1:], os.Stdout, os.Stderr))
}
