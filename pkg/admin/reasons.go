package admin

// ReasonWords say in English, by its code, why an event waits or was not delivered, as far as the word alone does not.
var ReasonWords = map[string]string{
	"accepted": "accepted by Mindbox", "already_processed": "Mindbox knew it already", "validation_error": "Mindbox refuses the data",
	"protocol_error": "Mindbox refuses the request", "unclear_answer": "an answer that says nothing", "unknown_status": "a status that nobody knows",
	"redirect": "a redirect", "not_mindbox": "something in front of Mindbox refuses", "credentials_missing": "Mindbox got no key",
	"credentials_refused": "Mindbox refuses the key", "not_found": "the address is wrong", "request_timeout": "Mindbox gave up waiting",
	"conflict": "Mindbox reports a conflict", "client_error": "Mindbox refuses it for good", "too_many_requests": "too many requests",
	"server_error": "Mindbox has a trouble of its own", "timeout": "no answer in time", "name": "the host's name does not resolve",
	"connect": "nobody answers at the address", "tls": "the certificate is not trusted", "connection": "the connection broke",
	"unreadable": "the body cannot be read", "expression": "an expression of the link failed", "condition": "a condition does not hold",
	"missing": "a required field came out empty", "expired": "too old for the link", "too_old": "tried for too long",
	"parked": "paused: waiting for Mindbox", "crashed": "the process ended at it again and again", "unknown": "its site or link is not in the file",
	"damaged": "damaged in the store", "panic": "handling it failed", "too_large": "too large", "cancelled": "given up by a person",
	"ping": "a test of Calltouch's", "empty": "nothing stood in it", "other_lead": "neither a call nor a form request", "no_id": "no id: it is not ticked in Calltouch",
	"other_site": "of another site", "bad_id": "an id that cannot be one", "collision": "another call has this id", "unpolled": "waits for its record",
}

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
