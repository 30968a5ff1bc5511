package admin

import "github.com/touchbox/touchbox/pkg/calltouch"

// FieldMeaning says what a field of an event is, as Calltouch's settings do; "" for one that Calltouch's vocabulary does not have.
func FieldMeaning(name string) (english, russian string) {
	field, _ := calltouch.Lookup(name)
	return field.English, field.Russian
}
