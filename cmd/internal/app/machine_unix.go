//go:build unix

package app

import (
	"io/fs"
	"syscall"
)

// spaceOf is what this user can still write under dir, and how large its disk is; false when nobody
// says.
func spaceOf(dir string) (space, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return space{}, false
	}
	return space{free: s.Bavail * uint64(s.Bsize), all: s.Blocks * uint64(s.Bsize)}, true
}

// ownersOf are the user and the group of a file; false when nobody says.
func ownersOf(info fs.FileInfo) (uid, gid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(s.Uid), int(s.Gid), true
}
