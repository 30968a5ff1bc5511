package embedded

import (
	"io/fs"
	"path/filepath"
)

// warnOfDisk warns when the disk is smaller than what JetStream may use: a full disk stops it.
func warnOfDisk(c Config) {
	free, err := freeDisk(c.Dir)
	if err != nil {
		return
	}
	used := size(c.Dir)
	if free+used < c.MaxStore {
		c.Log.Warn().Str("dir", c.Dir).Int64("free_bytes", free).Int64("used_bytes", used).Int64("max_bytes", c.MaxStore).
			Msg("the disk is smaller than the store may become: lower keep.disk or make room")
	}
}

// size is how many bytes the files below dir hold.
func size(dir string) int64 {
	var n int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
