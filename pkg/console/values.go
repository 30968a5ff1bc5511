package console

import (
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/lang"
)

// valueView is a field of an event, with what it is in a person's words.
type valueView struct {
	Name, Meaning, Text string
	Code                string    // what Text says in words; links compare with that
	Time                time.Time // what Text says, where it is a time
}

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
		view := valueView{Name: v.Name, Meaning: admin.FieldMeaning(v.Name, string(l)), Text: v.Text, Time: v.Time}
		if in, ok := valueWords[v.Text]; ok && slices.Contains(coded, v.Name) {
			if said := l.Text(in); said != v.Text {
				view.Text, view.Code = said, v.Text
			}
		}
		list = append(list, view)
	}
	if main {
		slices.SortFunc(list, func(x, y valueView) int { return slices.Index(telling, x.Name) - slices.Index(telling, y.Name) })
	}
	return list
}

// coded are the fields whose values are codes of Calltouch's, and valueWords what these say. In English most say it themselves.
var (
	coded = []string{"status", "unique", "targetcall", "uniqtargetcall", "targetrequest", "uniqtargetrequest"}

	valueWords = map[string]string{
		"successful": "successful", "unsuccessful": "unsuccessful", "true": "yes", "false": "no",
		"target": "target", "non-target": "non-target", "uniqtarget": "unique target", "non-uniqtarget": "not unique target",
	}
)

// fieldsNamed are fields by their names alone, with what they are.
func fieldsNamed(l lang.Language, names []string) []valueView {
	list := make([]valueView, len(names))
	for i, name := range names {
		list[i] = valueView{Name: name, Meaning: admin.FieldMeaning(name, string(l))}
	}
	return list
}
