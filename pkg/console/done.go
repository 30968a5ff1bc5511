package console

import "strconv"

// doneTexts say what an action did, on the page to which it leads: the address holds the word and the count alone.
var doneTexts = map[string]string{
	"signed-out":     "You have signed out.",
	"link-stopped":   "The link is stopped: events wait, and none is lost.",
	"nothing":        "There is nothing of the kind any more: nothing was done.",
	"more":           "There are more by now than you were shown, or the number was not typed: look again.",
	"link-started":   "The link goes on from its place.",
	"sessions-ended": "Sessions that were ended:",
}

// done is what the last action did, "" where there was none.
func (v *visit) done() string {
	text := doneTexts[v.r.URL.Query().Get("done")]
	n, err := strconv.Atoi(v.r.URL.Query().Get("n"))
	switch {
	case text == "":
		return ""
	case err != nil:
		return v.lang.Text(text)
	}
	return v.lang.Text(text) + " " + number(v.lang, n)
}
