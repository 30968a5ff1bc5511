package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

//go:embed templates/*.yaml
var templates embed.FS

// exampleSite stands in the file where nobody has said which site it is.
const exampleSite = "10001"

func (c *cli) initCommand() *cobra.Command {
	var sites []string
	var endpoint string
	var force, bare bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented touchbox.yaml with fresh random keys",
		Long: "Write a commented configuration to TOUCHBOX_CONFIG (touchbox.yaml), with a fresh random key for each site's webhook.\n" +
			"An existing file is left alone unless --force is given.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("site") && len(sites) == 0 {
				sites = []string{""} // --site "$UNSET"
			}
			return c.writeConfig(newFile{Endpoint: endpoint, Links: !bare}, sites, force)
		},
	}
	cmd.Flags().StringSliceVar(&sites, "site", nil, "the site's id (ID сайта) in Calltouch, with a name for it if you like; several sites: `10001=clinic,10002=pharmacy`")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "Mindbox's `endpointId`, from the description of your operations")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite an existing file")
	cmd.Flags().BoolVar(&bare, "no-links", false, "write no example links, for whoever drafts them with touchbox link new")
	cmd.PostRunE = func(*cobra.Command, []string) error {
		if bare { // there are no links to test
			return nil
		}
		return c.writeFirstTests()
	}
	return cmd
}

// newFile is what the templates are filled with.
type newFile struct {
	Sites    []newSite
	Endpoint string
	Links    bool // the example ones
}

// newSite is a site in a new file.
type newSite struct{ ID, Name, Key string }

// From is what a link of all sites says in its from.
func (f newFile) From() string {
	names := make([]string, len(f.Sites))
	for i, s := range f.Sites {
		names[i] = s.Name
	}
	if len(names) == 1 {
		return names[0]
	}
	return "[" + strings.Join(names, ", ") + "]"
}

var (
	siteNumber = regexp.MustCompile(`^[0-9]{1,20}$`)
	siteName   = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_-]*$`)
)

// namedSites reads --site: an id, or an id and a name.
func (c *cli) namedSites(args []string) ([]newSite, error) {
	var sites []newSite
	for _, arg := range args {
		id, name, named := strings.Cut(strings.TrimSpace(arg), "=")
		switch {
		case named:
		case len(args) == 1:
			name = "main"
		default:
			name = "site" + id
		}
		if !siteNumber.MatchString(id) || !siteName.MatchString(name) {
			return nil, app.Mistakef("%s", c.lang.Sprintf("--site: want Calltouch's site id, a number, or id=name"))
		}
		if slices.ContainsFunc(sites, func(s newSite) bool { return s.ID == id || s.Name == name }) {
			return nil, app.Mistakef("%s", c.lang.Sprintf("--site: %s stands there twice", arg))
		}
		sites = append(sites, newSite{ID: id, Name: name, Key: newKey()})
	}
	return sites, nil
}

// writeConfig writes the file so that only its owner can read it: the keys are secrets.
func (c *cli) writeConfig(file newFile, sites []string, force bool) error {
	var missing []string
	if len(sites) == 0 {
		sites, missing = []string{exampleSite}, append(missing, c.lang.Text("your site's id"))
	}
	if file.Endpoint == "" {
		file.Endpoint, missing = "example.Website", append(missing, c.lang.Text("Mindbox's endpoint"))
	}
	if file.Links {
		missing = append(missing, c.lang.Text("the operations of your specification"))
	}
	var err error
	if file.Sites, err = c.namedSites(sites); err != nil {
		return err
	}
	content, err := c.newText(file)
	if err != nil {
		return err
	}
	err = createConfig(c.settings.Config, content)
	if errors.Is(err, fs.ErrExist) {
		if !force {
			return app.Mistakef("%s", c.lang.Sprintf("%s exists already: --force overwrites it", c.settings.Config))
		}
		err = replaceConfig(c.settings.Config, content)
	}
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		c.say("Wrote %s. Next: touchbox link new", c.settings.Config)
		return nil
	}
	next := "touchbox link new"
	if file.Links {
		next = "touchbox check"
	}
	c.say("Wrote %s. Enter there: %s; then: %s", c.settings.Config, strings.Join(missing, ", "), next)
	return nil
}

// newText is the text of a new file. One that the reader refuses, for a name or an endpoint that cannot be one, is not
// written.
func (c *cli) newText(file newFile) ([]byte, error) {
	name := "templates/init.en.yaml"
	if c.lang == lang.Russian {
		name = "templates/init.ru.yaml"
	}
	text, err := template.ParseFS(templates, name)
	if err != nil {
		return nil, err
	}
	var content bytes.Buffer
	if err := text.Execute(&content, file); err != nil {
		return nil, err
	}
	_, _, err = link.Parse(c.settings.Config, content.Bytes(), link.Options{Language: c.lang, Lenient: true})
	if err != nil {
		return nil, app.Mistake{Err: err}
	}
	return content.Bytes(), nil
}

// createConfig writes a file that is not there yet.
func createConfig(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// replaceConfig puts a new file in the place of an old one, whole or not at all. The old one's mode may let others read: written in
// place, the key would stand there as openly. A link to the file stays one.
func replaceConfig(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".touchbox-*.yaml") // 0600
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// newKey is 26 characters with 130 random bits, in lower case: people retype it.
func newKey() string { return strings.ToLower(rand.Text()) }
