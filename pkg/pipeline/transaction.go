package pipeline

import (
	"strings"

	"github.com/google/uuid"

	"github.com/touchbox/touchbox/pkg/event"
)

// namespace of all transaction ids. It must never change: an event that was sent under one id
// and is sent again under another is executed twice.
var namespace = uuid.MustParse("6f0c7a52-9d6e-5b0a-8c3e-7f1b0d2a4e91")

// TransactionID names one effect at Mindbox. Every retry, redelivery and replay of an event over
// a link sends the same id, and Mindbox executes it once. The operation is part of it because
// Mindbox does not tie the id to the operation; the revision, empty as a rule, is a person's name
// for a correction that is to be executed beside what was sent before.
func TransactionID(endpoint, operation, link string, key event.Key, revision string) uuid.UUID {
	name := strings.Join([]string{endpoint, operation, link, key.String(), revision}, "\n")
	return uuid.NewSHA1(namespace, []byte(name))
}
