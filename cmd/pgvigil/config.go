package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
)

func newConfig(u *ui) *cobra.Command {
	ac := &access{}
	cmd := &cobra.Command{Use: "config", Short: "Make, check and show the configuration"}
	ac.configFlag(cmd)
	cmd.AddCommand(
		&cobra.Command{
			Use:   "init",
			Short: "Print a configuration to start from",
			RunE:  func(*cobra.Command, []string) error { return config.Init(u.out) },
		},
		&cobra.Command{
			Use:   "check",
			Short: "Say all that is wrong with the configuration",
			RunE: func(cmd *cobra.Command, _ []string) error {
				cfg, err := ac.load(nil)
				if err != nil {
					return err
				}
				if err := cfg.Check(cmd.Context()); err != nil {
					return err
				}
				for _, w := range cfg.Warnings {
					u.say("warning %s: %s", w.Code, oneLine(w.Text, 400))
				}
				u.say("The configuration is right; it names %s.", targetsInWords(cfg.TargetNames()))
				return nil
			},
		},
		&cobra.Command{
			Use:   "show",
			Short: "Show every value with where it comes from; secrets are REDACTED",
			RunE: func(*cobra.Command, []string) error {
				cfg, err := ac.load(nil)
				if err != nil {
					return err
				}
				return cfg.Show(u.out)
			},
		},
		&cobra.Command{
			Use:   "schema",
			Short: "Print the JSON schema of the file",
			RunE: func(*cobra.Command, []string) error {
				schema, err := config.Schema()
				if err == nil {
					_, err = u.out.Write(schema)
				}
				return err
			},
		},
	)
	return cmd
}

func targetsInWords(names []string) string {
	switch len(names) {
	case 0:
		return "no target yet"
	case 1:
		return "the target " + names[0]
	}
	return "the targets " + strings.Join(names, ", ")
}
