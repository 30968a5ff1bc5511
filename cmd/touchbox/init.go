package main

import (
	"crypto/rand"
	"embed"
	"errors"
	"io/fs"
	"os"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/lang"
)

//go:embed templates/*.yaml
var templates embed.FS

func (c *cli) initCommand() *cobra.Command {
	var site string
	var force bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented touchbox.yaml with a fresh random key",
		Long:  "Write a commented configuration to TOUCHBOX_CONFIG (touchbox.yaml), with a fresh random key for the webhook's address.\nAn existing file is left alone unless --force is given.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if strings.Trim(site, "0123456789") != "" || site == "" || len(site) > 20 {
				return app.Mistakef("--site: want Calltouch's site id, a number")
			}
			return c.writeConfig(site, force)
		},
	}
	cmd.Flags().StringVar(&site, "site", "10001", "the site's id (ID сайта) in Calltouch")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite an existing file")
	return cmd
}

// writeConfig writes the file so that only its owner can read it: the key is a secret.
func (c *cli) writeConfig(site string, force bool) error {
	name := "templates/init.en.yaml"
	if c.lang == lang.Russian {
		name = "templates/init.ru.yaml"
	}
	text, err := template.ParseFS(templates, name)
	if err != nil {
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(c.settings.Config, flags, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return app.Mistakef("%s", c.lang.Sprintf("%s exists already: --force overwrites it", c.settings.Config))
	}
	if err != nil {
		return err
	}
	if err := text.Execute(file, map[string]string{"Site": site, "Key": newKey()}); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	c.say("Wrote %s. Put in your site and Mindbox's endpoint, then: touchbox check", c.settings.Config)
	return nil
}

// newKey is 26 characters with 130 random bits, in lower case: people retype it.
func newKey() string { return strings.ToLower(rand.Text()) }
