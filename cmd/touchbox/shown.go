package main

import (
	"encoding/json"
	"fmt"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/show"
)

// mask hides what is about a person, unless --reveal was given.
func (c *cli) mask() admin.Mask { return admin.Mask{Reveal: c.reveal} }

// oneLine writes a value on one line that is safe to print.
func oneLine(value any) string {
	if text, ok := value.(string); ok {
		return show.Printable(text)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return show.Printable(fmt.Sprint(value))
	}
	return show.Printable(string(text))
}
