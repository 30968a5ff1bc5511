package app

import "runtime/debug"

// Version is the release, stamped by the linker (see the Makefile).
var Version = "dev"

// FullVersion is the release with the commit it was built from, where Go knows it.
func FullVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return Version + " (" + s.Value[:min(12, len(s.Value))] + ")"
		}
	}
	return Version
}
