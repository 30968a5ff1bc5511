//go:build unix

package doctor

import (
	"os"
	"syscall"
)

// readBy reports whether a file was given to a group so that a service reads it and cannot change it:
// it is another user's, or root looks at a file of its own that has the group of somebody else.
func readBy(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (int(stat.Uid) != os.Getuid() || stat.Uid == 0 && stat.Gid != 0)
}
