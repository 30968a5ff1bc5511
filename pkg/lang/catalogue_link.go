package lang

// linkCatalogue holds what pkg/link says: mistakes and warnings of touchbox.yaml, and explain.
var linkCatalogue = map[string]string{}
