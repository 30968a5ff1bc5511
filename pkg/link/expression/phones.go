package expression

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/touchbox/touchbox/pkg/phone"
)

// phoneFields are the fields that Calltouch sends as digits with the country's code and no plus.
var phoneFields = []string{"callerphone", "phonenumber"}

// phoneOf reports whether a node comes to a phone number, and whether that is one of phone(): of a field the
// spelling is what Calltouch is known to send, of phone() it is certain.
func phoneOf(n ast.Node) (name string, certain, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, false, slices.Contains(phoneFields, n.Value)
	case *ast.CallNode:
		callee, isName := n.Callee.(*ast.IdentifierNode)
		return "phone()", true, isName && callee.Value == "phone"
	}
	return "", false, false
}

// phones finds a number in a spelling that no phone ever has, where it is compared with one.
func (v *inspector) phones(n *ast.BinaryNode) {
	switch n.Operator {
	case "==", "!=":
		v.phone(n.Left, n.Right)
		v.phone(n.Right, n.Left)
	case "in":
		if list, ok := n.Right.(*ast.ArrayNode); ok {
			for _, item := range list.Nodes {
				v.phone(n.Left, item)
			}
		}
		v.phoneInTable(n.Right, n.Left)
	case "startsWith", "endsWith", "contains":
		text, ok := n.Right.(*ast.StringNode)
		if name, certain, isPhone := phoneOf(n.Left); ok && isPhone && strings.Trim(text.Value, "0123456789") != "" {
			v.neverSo(text, name, certain)
		}
	}
}

// phone looks at a text that is compared with what may be a phone.
func (v *inspector) phone(compared, with ast.Node) {
	text, ok := with.(*ast.StringNode)
	name, certain, isPhone := phoneOf(compared)
	if !ok || !isPhone {
		return
	}
	number := v.spelling(text.Value)
	switch {
	case number == "" || number == text.Value:
	case !v.isSpelt(text.Value):
		v.neverSo(text, name, certain)
	default: // a foreign one, of Vietnam or Germany; rather a Russian one with 8 or without 7
		v.neverSo(text, name, false)
	}
}

// neverSo reports a text that a phone never is, or never has in it.
func (v *inspector) neverSo(text *ast.StringNode, name string, certain bool) {
	report := v.at.warn
	if certain {
		report = v.at.mistake
	}
	report(text.Location().From, "%s is digits alone, with the country's code: what is written like this equals none", name).
		Hint("write it as in %s", `"79161234567"`)
}

// phoneInTable finds a table that is asked for phones, and has numbers that no phone is spelt like.
func (v *inspector) phoneInTable(table, key ast.Node) {
	id, ok := table.(*ast.IdentifierNode)
	name, _, isPhone := phoneOf(key)
	if !ok || !isPhone {
		return
	}
	odd := 0
	for row := range v.scope.tables[id.Value] {
		if number := v.spelling(row); number != "" && number != row {
			odd++
		}
	}
	if odd > 0 {
		v.at.warn(key.Location().From, "%s is digits alone, with the country's code; keys of the table %s that are written otherwise, and never found: %d", name, id.Value, odd).
			Hint("write them as in %s", `"79161234567"`)
	}
}

// isSpelt reports whether a text is spelt as phone() spells numbers.
func (v *inspector) isSpelt(text string) bool {
	national, ok := strings.CutPrefix(text, v.scope.events.TenDigits)
	return phone.Normalize("+"+text, phone.Options{}) == text || ok && len(national) == 10 && v.spelling(national) == text
}

// spelling is how phone() spells the number in a text; "" where it is none. Ten digits are a Russian one, or
// one of the site's country.
func (v *inspector) spelling(text string) string {
	country := v.scope.events.TenDigits
	if country == "" {
		country = "7"
	}
	return phone.Normalize(text, phone.Options{TenDigits: country})
}
