//go:build unix

package app

import "syscall"

// spaceOf is what this user can still write under dir, and how large its disk is; false when nobody
// says.
func spaceOf(dir string) (space, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return space{}, false
	}
	return space{free: s.Bavail * uint64(s.Bsize), all: s.Blocks * uint64(s.Bsize)}, true
}
