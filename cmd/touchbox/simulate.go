package main

import (
	"github.com/spf13/cobra"
)

func (c *cli) simulateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Run a simulated Mindbox or Calltouch to try links on",
	}
	cmd.AddCommand(c.simulateMindboxCommand(), c.simulateCalltouchCommand())
	return cmd
}
