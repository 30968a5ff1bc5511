package link

import (
	"regexp"
	"strings"
)

var (
	leadingZero = regexp.MustCompile(`^[-+]?0\d+(\.\d*)?$`)
	otherBase   = regexp.MustCompile(`^[-+]?0[xXoObB][0-9a-fA-F_]+$`)
	underscored = regexp.MustCompile(`^[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?$`)
	oddNumber   = regexp.MustCompile(`^([-+]?(\d+\.|\.\d+)|\+\d[\d.]*|[-+]?\d+(\.\d*)?[eE][-+]?\d+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	oddBoolean  = regexp.MustCompile(`^(?i:yes|no|on|off)$|^(True|TRUE|False|FALSE)$`)
	oddNull     = regexp.MustCompile(`^(~|null|Null|NULL)$`)
)

// unambiguous refuses plain scalars that some readers of YAML take for something else.
func (r *reader) unambiguous(at Pos, text string) bool {
	switch {
	case strings.IndexAny(text, "%@`") == 0:
		r.mistake(at, "%s begins with a sign that YAML keeps for itself", text).hint(`put it in quotes: "%s"`, text)
	case oddNull.MatchString(text):
		r.mistake(at, "%s means no value", text).hint("leave the key out, or put a text in quotes")
	case oddBoolean.MatchString(text):
		r.mistake(at, "%s is a text to some readers of YAML and a boolean to others", text).
			hint(`write true or false, or put a text in quotes: "%s"`, text)
	case leadingZero.MatchString(text), otherBase.MatchString(text), underscored.MatchString(text), oddNumber.MatchString(text):
		r.mistake(at, "%s would lose or change its digits", text).hint(`put it in quotes: "%s"`, text)
	default:
		return true
	}
	return false
}
