package show

// Plain is a text without what is invisible.
var Plain = plain
