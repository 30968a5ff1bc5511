package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/touchbox/touchbox/pkg/lang"
)

// completionHelp stands in the place of cobra's own texts, which are of one shell each.
const completionHelp = "Print the script with which the shell completes commands, flags and their values. For the session that runs: source <(touchbox completion bash);\n" +
	"for all: write it into the folder of completions, as in touchbox completion bash >/etc/bash_completion.d/touchbox, or for zsh into a folder of fpath as _touchbox."

// speak gives every command of the tree the texts of the person's language. They stand in English where the commands are made.
func (c *cli) speak(root *cobra.Command, args []string) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	root.SetUsageFunc(func(cmd *cobra.Command) error { return usage(cmd.OutOrStderr(), cmd, c.lang) })
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { help(cmd.OutOrStdout(), cmd, c.lang) })
	walk(root, func(cmd *cobra.Command) { translate(cmd, c.lang) })
}

// walk calls f for a command and all below it.
func walk(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, member := range cmd.Commands() {
		walk(member, f)
	}
}

func translate(cmd *cobra.Command, l lang.Language) {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	switch {
	case cmd.Name() == "help":
		cmd.Long = "touchbox help COMMAND is touchbox COMMAND --help."
	case cmd.Name() == "completion", cmd.HasParent() && cmd.Parent().Name() == "completion":
		cmd.Long = completionHelp
	}
	if name := cmd.Name(); strings.Contains(cmd.Use, " ") { // a bare name may be a word elsewhere, and is typed as it is
		_, args, _ := strings.Cut(l.Text(cmd.Use), " ")
		cmd.Use = name + " " + args
	}
	cmd.Short = l.Error(said(cmd.Short)) // cobra's name the shell
	cmd.Long = l.Text(cmd.Long)
	cmd.Example = l.Text(cmd.Example)
	flags := func(f *pflag.Flag) {
		switch f.Name {
		case "help":
			f.Usage = l.Sprintf("help for %s", cmd.Name())
		case "version":
			f.Usage = l.Sprintf("version for %s", cmd.Name())
		default:
			f.Usage = l.Text(f.Usage)
		}
	}
	cmd.LocalNonPersistentFlags().VisitAll(flags)
	cmd.PersistentFlags().VisitAll(flags)
}

// said is a text that a library made.
type said string

func (s said) Error() string { return string(s) }

// help is what --help prints.
func help(w io.Writer, cmd *cobra.Command, l lang.Language) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	if text = strings.TrimRight(text, " \n"); text != "" {
		_, _ = fmt.Fprintf(w, "%s\n\n", text)
	}
	_ = usage(w, cmd, l)
}

// usage prints how a command is written, its members and its flags.
func usage(w io.Writer, cmd *cobra.Command, l lang.Language) error {
	var b strings.Builder
	part := func(title, text string) { fmt.Fprintf(&b, "\n%s\n%s\n", l.Text(title), strings.TrimRight(text, " \n")) }
	b.WriteString(l.Text("Usage:"))
	if cmd.Runnable() {
		b.WriteString("\n  " + useLine(cmd, l))
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\n  " + l.Sprintf("%s [command]", cmd.CommandPath()))
	}
	b.WriteString("\n")
	if cmd.HasExample() {
		part("Examples:", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		for _, g := range cmd.Groups() {
			part(g.Title, members(cmd, g.ID))
		}
		title := "Available Commands:"
		if len(cmd.Groups()) > 0 {
			title = "Other commands:"
		}
		part(title, members(cmd, ""))
	}
	if cmd.HasAvailableLocalFlags() {
		part("Flags:", flagUsages(cmd.LocalFlags(), l))
	}
	if cmd.HasAvailableInheritedFlags() {
		part("Global Flags:", flagUsages(cmd.InheritedFlags(), l))
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\n" + l.Sprintf("Use \"%s [command] --help\" for more information about a command.", cmd.CommandPath()) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// members are the commands of a group below one, a line each; "" are those of none.
func members(cmd *cobra.Command, group string) string {
	var b strings.Builder
	for _, member := range cmd.Commands() {
		if member.GroupID == group && (member.IsAvailableCommand() || member.Name() == "help") {
			fmt.Fprintf(&b, "  %-*s %s\n", member.NamePadding(), member.Name(), member.Short)
		}
	}
	return b.String()
}

// flagUsages is a line for each flag: its name with the type of its value, what it is for, and its default.
func flagUsages(flags *pflag.FlagSet, l lang.Language) string {
	var names, texts []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name, text := spoken(f, l)
		names, texts = append(names, name), append(texts, text)
	})
	widest := 0
	for _, name := range names {
		widest = max(widest, utf8.RuneCountInString(name))
	}
	var b strings.Builder
	for i, name := range names {
		fmt.Fprintf(&b, "%s%s   %s\n", name, strings.Repeat(" ", widest-utf8.RuneCountInString(name)), texts[i])
	}
	return b.String()
}

// spoken is a flag's name, and what it is for.
func spoken(f *pflag.Flag, l lang.Language) (name, text string) {
	value, text := pflag.UnquoteUsage(f)
	if f.Value.Type() == "bool" { // it takes no value: what is quoted is something to type
		value, text = "", f.Usage
	}
	if text == f.Usage { // nothing in the text is the name of the value
		value = l.Text(value)
	}
	name = "      --" + f.Name
	if f.Shorthand != "" {
		name = "  -" + f.Shorthand + ", --" + f.Name
	}
	switch {
	case value != "" && f.NoOptDefVal != "" && f.Value.Type() == "string":
		name += "[=" + value + "]"
	case value != "":
		name += " " + value
	}
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
	default:
		text += l.Sprintf(" (default %s)", f.DefValue)
	}
	return name, text
}

// languageOf finds --lang in a command line before it is parsed: what is wrong in it is said in that language too.
func languageOf(args []string, getenv func(string) string) lang.Language {
	said := ""
	for i, arg := range args { // the last one counts, as of any flag
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			said = value
		}
		if arg == "--lang" && i+1 < len(args) {
			said = args[i+1]
		}
	}
	return lang.Detect(said, getenv)
}

// useLine is how a command is called, in one line.
func useLine(cmd *cobra.Command, l lang.Language) string {
	return strings.Replace(cmd.UseLine(), "[flags]", l.Text("[flags]"), 1)
}
