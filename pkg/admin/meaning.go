package admin

import "github.com/touchbox/touchbox/pkg/calltouch"

// FieldMeaning is calltouch.Meaning, for the console, which does not know Calltouch.
func FieldMeaning(name, language string) string { return calltouch.Meaning(name, language) }
