package spec

import (
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// roots are what a request's body of Mindbox's begins with. Source: Mindbox's pages on operations of API v3.
var roots = []string{"customer", "customerAction", "executionDateTimeUtc", "pointOfContact", "order", "segmentations", "productList", "recipient", "discountCard", "promoCode", "page", "addProductToList", "viewProduct"}

// ofCustomer are the fields of a customer. What stands below ids, customFields and the like is the project's own.
var ofCustomer = []string{
	"ids", "mobilePhone", "email", "firstName", "lastName", "middleName", "fullName", "birthDate", "sex", "timeZone", "area", "discountCard",
	"subscriptions", "customFields", "isAuthorized", "authenticationTicket", "password",
}

func isRoot(name string) bool { return slices.Contains(roots, name) }

// checkNames remarks on fields that Mindbox does not have.
func (r *reader) checkNames() {
	for i := range r.spec.Fields {
		f := &r.spec.Fields[i]
		names := strings.Split(f.Path, ".")
		wrong, of, whole := names[0], roots, roots
		if names[0] == "customer" && len(names) > 1 {
			wrong, of = names[1], ofCustomer
		}
		if slices.Contains(of, wrong) {
			continue
		}
		if len(names) == 1 {
			of = slices.Concat(whole, ofCustomer)
		}
		if near := strictyaml.Nearest(wrong, of); near != "" {
			if len(names) == 1 && !isRoot(near) {
				near = "customer." + near
			}
			r.note(f.Line, "Mindbox's pages know no field %s: is it %s?", f.Path, near)
			continue
		}
		r.note(f.Line, "Mindbox's pages know no field %s: ask whether it is one of customFields", f.Path)
	}
}

// isConstant is true of the fields that say the same of every customer: where a subscription goes, whose it is.
func isConstant(path string) bool {
	names := strings.Split(path, ".")
	if at := slices.IndexFunc(names, isRoot); at > 0 { // it stands inside of something else, see unwrapped
		path = strings.Join(names[at:], ".")
	}
	return path == "pointOfContact" || strings.HasPrefix(path, "customer.subscriptions.")
}
