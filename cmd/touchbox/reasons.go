package main

import (
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/show"
)

// reasonWord says a reason in words, with its code beside it; "" for none.
func (c *cli) reasonWord(code string) string {
	if code == "" {
		return ""
	}
	return c.lang.Worded(admin.ReasonWord(code), code)
}

// parkedBy says why a link is parked: a reason, and behind it what Mindbox answered.
func (c *cli) parkedBy(why string) string {
	code, answer, more := strings.Cut(why, ": ")
	if more {
		return c.reasonWord(code) + ": " + show.Printable(answer)
	}
	return c.reasonWord(code)
}
