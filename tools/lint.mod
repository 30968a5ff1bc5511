// The tools that check this repository, apart from the product so that they weigh on nobody's graph.
// Run: go tool -modfile=tools/lint.mod staticcheck ./...
module github.com/touchbox/touchbox/tools

go 1.26.0

toolchain go1.26.10

tool (
	golang.org/x/tools/cmd/deadcode
	golang.org/x/vuln/cmd/govulncheck
	honnef.co/go/tools/cmd/staticcheck
)

// The database of govulncheck, of this day: raise it with the dependencies. Nothing imports it.
require golang.org/x/vulndb v0.0.0-20261105234957-e22db6528018

require (
	github.com/BurntSushi/toml v1.4.1-0.20240526193622-a339e1f7089c // indirect
	golang.org/x/exp/typeparams v0.0.0-20261009195045-ca0d7ba23607 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/telemetry v0.0.0-20261010193011-f71dc92da45e // indirect
	golang.org/x/tools v0.52.0 // indirect
	golang.org/x/vuln v1.9.0 // indirect
	honnef.co/go/tools v0.8.2 // indirect
)
