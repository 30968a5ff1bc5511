package admin

// ReasonHints say what a person does about a cause.
var ReasonHints = map[string]string{
	"validation_error": "Mend the field that the answer names in the link's body, then send them again.",
	"protocol_error":   "Mend the operation, the endpoint or the field that the answer names, then send them again.",
	"client_error":     "Mend what the answer names, then send them again.",
	"conflict":         "Look at what the answer says; sending again may do.",
	"expression":       "An expression of the link met a value that it cannot use: mend it, then send them again.",
	"too_old":          "Mindbox did not take them for as long as they were tried: once it does, send them again.",
	"expired":          "They were older than the link's expire allows: send them again only if that is wanted.",
	"unreadable":       "What came is no webhook and no record; the event's page shows what can be read.",
	"unknown":          "Their site or link is not in the file: put it back, or name the link that does its work now (`touchbox replay --as`).",
	"cancelled":        "A person has given them up; they can be sent again.",
	"crashed":          "The process ended at them again and again: tell the makers of Touchbox.",
	"panic":            "Handling them failed: tell the makers of Touchbox.",
}
