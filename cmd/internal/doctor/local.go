package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/watch"
)

func (d *Doctor) versions() {
	d.ok("version", "touchbox", app.FullVersion())
	d.ok("version", "go", runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH)
}

// modes looks who may read what holds secrets or people's data.
func (d *Doctor) modes() {
	for _, file := range d.privateFiles() {
		info, err := os.Stat(file)
		switch {
		case err != nil:
			d.finding("modes", file, d.Lang.Sprintf("cannot be looked at: %s", d.pathError(err)), d.Lang.Text("see whether it is there and this user may read its folder"))
		case runtime.GOOS == "windows":
			d.skip("modes", file, d.Lang.Text("modes say nothing on this system"))
		case tooOpen(info):
			d.finding("modes", file, d.Lang.Sprintf("mode %04o: others can read or change it", info.Mode().Perm()),
				d.Lang.Sprintf("chmod %04o %s", closedMode(info), file))
		default:
			d.ok("modes", file, d.Lang.Sprintf("mode %04o", info.Mode().Perm()))
		}
	}
}

// privateFiles lists the files and folders that others must not read.
func (d *Doctor) privateFiles() []string {
	s := d.Settings
	files := []string{s.TLSKey, s.AdminTokenFile, s.NATSCreds, s.NATSKey}
	written := false
	for _, secret := range d.secrets() {
		written = written || secret.Written()
		files = append(files, secret.Files()...)
	}
	if written {
		files = append(files, s.Config)
	}
	if _, err := os.Stat(s.Data); err == nil && s.NATSURL == "" {
		files = append(files, s.Data)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return name == "" })
	slices.Sort(files)
	return slices.Compact(files)
}

func (d *Doctor) secrets() []link.Secret {
	var all []link.Secret
	for _, s := range d.File.Sites {
		all = append(all, s.Key, s.Token)
	}
	for _, to := range d.File.Destinations {
		all = append(all, to.Secret)
	}
	return all
}

// tooOpen reports whether others than the owner can read or change a file. A group that reads a file
// of another owner is how a service gets a file that it must not change: see readBy.
func tooOpen(info os.FileInfo) bool {
	mode := info.Mode().Perm()
	if mode&0o027 != 0 {
		return true
	}
	return mode&0o050 != 0 && (info.IsDir() || !readBy(info))
}

// closedMode is the mode that a file or folder should have.
func closedMode(info os.FileInfo) os.FileMode {
	switch {
	case info.IsDir():
		return 0o700
	case readBy(info):
		return 0o640
	}
	return 0o600
}

func (d *Doctor) pathError(err error) string {
	if inner, ok := err.(*os.PathError); ok {
		return d.Lang.Error(inner.Err)
	}
	return d.Lang.Error(err)
}

// certificate looks at the files of INGEST_TLS_CERT.
func (d *Doctor) certificate() {
	s := d.Settings
	if s.TLSCert == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		d.finding("certificate", s.TLSCert, d.Lang.Text("the certificate and its key cannot be read as a pair"), d.Lang.Text("see INGEST_TLS_CERT and INGEST_TLS_KEY"))
		return
	}
	d.expiry("certificate", s.TLSCert, pair.Leaf)
}

// expiry says until when a certificate holds, and reports whether that is long enough.
func (d *Doctor) expiry(check, subject string, leaf *x509.Certificate) {
	until := leaf.NotAfter.UTC().Format(time.DateOnly)
	if time.Until(leaf.NotAfter) < watch.RenewBefore {
		d.finding(check, subject, d.Lang.Sprintf("the certificate holds until %s only", until), d.Lang.Text("see why it was not renewed: certbot, Caddy, or whoever makes it"))
		return
	}
	d.ok(check, subject, d.Lang.Sprintf("the certificate holds until %s", until))
}

// disk looks whether the store may grow as far as the file lets it.
func (d *Doctor) disk() {
	if d.Settings.NATSURL != "" {
		d.skip("disk", "", d.Lang.Text("the store is the NATS server's: look at its disk there"))
		return
	}
	free, all, known := app.DiskSpace(d.Settings.Data)
	if !known {
		d.skip("disk", d.Settings.Data, d.Lang.Text("the folder is not there, or this system does not say"))
		return
	}
	text := d.Lang.Sprintf("%.1f GB free of %.1f GB; keep.disk %.1f GB", gigabytes(free), gigabytes(all), gigabytes(uint64(d.File.Keep.Disk)))
	most, used := uint64(app.StoreFactor*d.File.Keep.Disk), app.FolderSize(d.Settings.Data)
	if free+used < most {
		d.finding("disk", d.Settings.Data, text, d.Lang.Sprintf("the queue may grow to %.1f GB: make room, or lower keep.disk", gigabytes(most)))
		return
	}
	d.ok("disk", d.Settings.Data, text)
}

func gigabytes(n uint64) float64 { return float64(n) / 1e9 }
