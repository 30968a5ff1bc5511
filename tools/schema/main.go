// Command schema writes one of the JSON Schemas, by which editors check and complete, to standard output:
//
//	go run ./tools/schema >schemas/config.schema.json
//	go run ./tools/schema tests >schemas/tests.schema.json
//
// Tests hold both files up to date.
package main

import (
	"fmt"
	"os"

	"github.com/touchbox/touchbox/pkg/link/schema"
)

func main() {
	which := schema.Config
	if len(os.Args) > 1 {
		which = schema.Which(os.Args[1])
	}
	if err := which.Write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
