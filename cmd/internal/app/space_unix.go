//go:build unix

package app

import "syscall"

// freeSpace is how many bytes this user can still write under dir; false when nobody says.
func freeSpace(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
