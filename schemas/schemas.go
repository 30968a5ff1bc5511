// Package schemas embeds the JSON Schemas (draft 2020-12) of what Touchbox reads and shows.
package schemas

import "embed"

// Files holds every *.json of this folder.
//
//go:embed *.json
var Files embed.FS
