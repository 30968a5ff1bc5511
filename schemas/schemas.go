// Package schemas holds the descriptions of what Touchbox reads and answers that a process serves itself.
package schemas

import _ "embed" // for AdminAPI

// AdminAPI is the OpenAPI document of the console's API.
//
//go:embed admin.openapi.yaml
var AdminAPI []byte
