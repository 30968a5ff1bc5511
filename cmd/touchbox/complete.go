package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/keys"
)

// values are what may stand somewhere, for the shell: each with what it is, behind a tab, where that helps. They come from
// touchbox.yaml and from closed lists; no server is asked, which might not answer.
type values func() []string

// completeValues tells the shell the values of flags and arguments, over the whole tree of commands: a flag of one name
// means the same everywhere.
func completeValues(root *cobra.Command) {
	flags := map[string]values{
		"link": linkIDs, "as": linkIDs, "site": siteNames, "kind": keys.EventKinds, "outcome": outcomes, "reason": admin.Reasons, "keep": fieldNames,
		"lang": func() []string { return []string{string(lang.English), string(lang.Russian)} },
	}
	named := map[string]map[string]values{ // where it means something of its own
		"init":               {"site": nil},
		"simulate/calltouch": {"site": nil},
		"aside":              {"reason": admin.AsideReasons},
	}
	arguments := map[string]values{
		"links/stop": linkIDs, "links/start": linkIDs, "links/reset": linkIDs, "links/remove": linkIDs,
		"links/history": linkIDs,
	}
	walk(root, func(cmd *cobra.Command) {
		_, words, _ := strings.Cut(cmd.CommandPath(), " ")
		path := strings.ReplaceAll(words, " ", "/")
		for name, of := range flags {
			if own, ok := named[path][name]; ok {
				of = own
			}
			if of != nil && cmd.LocalFlags().Lookup(name) != nil {
				_ = cmd.RegisterFlagCompletionFunc(name, completion(of)) // the flag is there, and has none yet
			}
		}
		if of := arguments[path]; of != nil {
			cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
				if len(args) > 0 {
					return nil, cobra.ShellCompDirectiveNoFileComp
				}
				return completion(of)(cmd, args, begun)
			}
		}
	})
}

// completion offers the values that begin as what stands there.
func completion(of values) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		fitting := slices.DeleteFunc(of(), func(value string) bool { return !strings.HasPrefix(value, begun) })
		return fitting, cobra.ShellCompDirectiveNoFileComp
	}
}

// fileForShell is the file, or an empty one where it cannot be read: the shell shows no errors.
func fileForShell() *link.File {
	settings, err := app.ReadSettings()
	if err != nil {
		return &link.File{}
	}
	file, _, err := settings.LoadConfigLeniently(lang.English)
	if err != nil {
		return &link.File{}
	}
	return file
}

func linkIDs() []string {
	var out []string
	for _, l := range fileForShell().Links {
		out = append(out, described(l.ID, l.Title))
	}
	return out
}

func siteNames() []string {
	var out []string
	for _, s := range fileForShell().Sites {
		out = append(out, described(s.Name, s.ID), described(s.ID, s.Name))
	}
	return out
}

// described is a value with what it is, as cobra hands both to the shell.
func described(value, about string) string {
	if about == "" {
		return value
	}
	return value + "\t" + about
}

func outcomes() []string {
	var out []string
	for _, o := range event.Outcomes {
		out = append(out, string(o))
	}
	return out
}

func fieldNames() []string {
	var out []string
	for _, f := range calltouch.Vocabulary() {
		out = append(out, f.Name)
	}
	return out
}
