package admin

import (
	"context"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/touchbox/touchbox/pkg/link"
)

// documentText is a kept version as a person reads it: as YAML, a value that may be a person's masked.
func documentText(document []byte) string {
	text, err := link.DocumentText(document)
	if err != nil {
		text = string(document)
	}
	return maskLines(text)
}

// maskLines masks each line by itself: a number of a test may stand in a condition.
func maskLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = Mask{}.Text(line)
	}
	return strings.Join(lines, "\n")
}

// VersionDiff is what a version of a link differs in from another, by the beginnings of their hashes, as a unified diff of
// their texts; "" where they are the same. queue.ErrNotFound, ErrManyVersions.
func (a Admin) VersionDiff(ctx context.Context, id, from, to string) (string, error) {
	before, err := a.Version(ctx, id, from)
	if err != nil {
		return "", err
	}
	after, err := a.Version(ctx, id, to)
	if err != nil {
		return "", err
	}
	then, now := documentText(before.Document())+"\n", documentText(after.Document())+"\n"
	return udiff.ToUnified(before.Version, after.Version, then, udiff.Lines(then, now), udiff.DefaultContextLines)
}
