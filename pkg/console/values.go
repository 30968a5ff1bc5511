package console

import (
	"slices"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/lang"
)

// valueView is a field of an event, with what it is in a person's words.
type valueView struct{ Name, Meaning, Text string }

// telling are the fields by which a person knows a call or a form request again, in the order in which they are shown. The rest is folded.
var telling = []string{
	"callerphone", "fio", "email", "subject", "comment", "duration", "waiting_time", "status", "targetcall", "targetrequest", "unique", "manager", "phonenumber", "deviceUUID",
	"city", "source", "medium", "utm_source", "utm_campaign", "keyword", "url", "requestUrl", "tags",
}

// told are the fields of an event that tell which it is, or the rest of them.
func told(l lang.Language, values []admin.Value, main bool) []valueView {
	var list []valueView
	for _, v := range values {
		if slices.Contains(telling, v.Name) != main {
			continue
		}
		list = append(list, valueView{Name: v.Name, Meaning: admin.FieldMeaning(v.Name, string(l)), Text: v.Text})
	}
	if main {
		slices.SortFunc(list, func(x, y valueView) int { return slices.Index(telling, x.Name) - slices.Index(telling, y.Name) })
	}
	return list
}
