//go:build !unix

package app

// freeSpace is unknown here.
func freeSpace(string) (uint64, bool) { return 0, false }
