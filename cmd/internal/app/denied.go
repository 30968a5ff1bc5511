package app

import (
	"errors"
	"io/fs"
	"os"
	accounts "os/user"
	"path/filepath"
	"strconv"

	"github.com/touchbox/touchbox/pkg/lang"
)

// DeniedError says that this user may not open a path of Touchbox's: another has to run the command, or has to be let in.
type DeniedError struct {
	Path string
	User string // who may, by name; empty where that cannot be told
	Here string // the number of this process's user
}

func (e *DeniedError) Error() string { return e.Text(lang.English) }

// Text is the error for a person.
func (e *DeniedError) Text(l lang.Language) string {
	switch {
	case e.Here == imageUser:
		return l.Sprintf("%s: no permission. In a container the user is %s: on the host, sudo find FOLDER ! -name environment -exec chgrp %[2]s {} + -exec chmod g+rX {} +", e.Path, e.Here)
	case e.User == "":
		return l.Sprintf("%s: no permission for this user", e.Path)
	}
	return l.Sprintf("%s: no permission for this user. Run the command as the user %s: sudo -u %[2]s ...; or, where the service touchbox.service runs, sudo touchboxctl ...", e.Path, e.User)
}

// imageUser is the user of the images (deploy/images).
const imageUser = "65532"

// denied is the error of a path that this user may not open; any other error stays as it is.
func denied(path string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return &DeniedError{Path: path, User: holder(path), Here: strconv.Itoa(os.Geteuid())}
}

// holder is the user who may open a path: its owner, or that of the nearest folder that can be looked at. What is root's is there
// for the user who has the name of its group, as in /etc/touchbox.
func holder(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	for ; err != nil && filepath.Dir(path) != path; info, err = os.Stat(path) {
		path = filepath.Dir(path)
	}
	if err != nil {
		return ""
	}
	uid, gid, ok := ownersOf(info)
	if !ok {
		return ""
	}
	if uid == 0 && gid != 0 {
		if group, err := accounts.LookupGroupId(strconv.Itoa(gid)); err == nil {
			if who, err := accounts.Lookup(group.Name); err == nil {
				return who.Username
			}
		}
	}
	if who, err := accounts.LookupId(strconv.Itoa(uid)); err == nil {
		return who.Username
	}
	return "#" + strconv.Itoa(uid) // as sudo takes it
}
