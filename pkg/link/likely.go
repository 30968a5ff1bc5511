package link

import (
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// usual are the expressions of fields that specifications call otherwise than Calltouch does, by the last
// name of their path, folded.
var usual = map[string]string{
	"mobilephone": "phone(callerphone)", "phone": "phone(callerphone)", "email": "email(email)", "fullname": "fio",
	"callid": "id", "callduration": "duration", "callstatus": "status", "trackednumber": "phonenumber", "waitingtime": "waiting_time",
	"executiondatetimeutc": "utc(time)", "datetimeutc": "utc(time)", "calldate": "utc(time)", "page": "url", "formname": "subject",
}

// likely is the expression that a field of the body probably wants; "" where nobody can say.
func likely(path string) string {
	name := strictyaml.Fold(path[strings.LastIndex(path, ".")+1:])
	if e := usual[name]; e != "" {
		return e
	}
	for _, f := range calltouch.Vocabulary() {
		if strictyaml.Fold(f.Name) == name && f.Type != calltouch.Time && f.Type != calltouch.List && f.Type != calltouch.Attributes {
			return f.Name
		}
	}
	return ""
}

// unmarked is the expression that a text of the body was meant to be, without its ${ }; "" where it is a text. A
// word that may be either, such as city, is one where the field's name ends with it: callId: id.
func unmarked(text, path string) string {
	_, field := calltouch.Lookup(text)
	switch e := expression.Unmarked(text); {
	case e != "" && needs(path) != "" && field:
		return needs(path) + "(" + text + ")"
	case e != "":
		return e
	case field && strings.HasSuffix(strictyaml.Fold(path), strictyaml.Fold(text)):
		return text
	}
	return ""
}

// needs is the function that a field of the body needs around what comes: "" for most.
func needs(path string) string {
	switch {
	case path == "customer.mobilePhone":
		return "phone"
	case path == "customer.email":
		return "email"
	}
	return ""
}
