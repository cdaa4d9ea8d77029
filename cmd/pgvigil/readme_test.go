package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestREADMECommandsExist holds every command that the documents show against
// the command line: the command is there, and takes its flags and arguments.
func TestREADMECommandsExist(t *testing.T) {
	for _, file := range []string{"../../README.md", "../../CONTRIBUTING.md", "../../ARCHITECTURE.md"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range shownCommands(string(content)) {
			if err := understood(strings.Fields(line)); err != nil {
				t.Errorf("%s shows %q: %v", file, line, err)
			}
		}
	}
	if got := shownCommands("    bin/pgvigil nonsense --flag"); len(got) != 1 || understood(strings.Fields(got[0])) == nil {
		t.Errorf("a command that is none is not noticed: %q", got)
	}
}

// TestMakeTargetsOfTheREADMEExist does the same for make.
func TestMakeTargetsOfTheREADMEExist(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"../../README.md", "../../CONTRIBUTING.md"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?m)(?:^    |`)make ([a-z-]+)").FindAllStringSubmatch(string(content), -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).Match(makefile) {
				t.Errorf("%s shows make %s, which is no target", file, m[1])
			}
		}
	}
}

var shown = regexp.MustCompile("(?m)^    bin/pgvigil ([^#>\n]*)|`(?:bin/)?pgvigil ([a-z][^`\n]*)`")

func shownCommands(text string) []string {
	var lines []string
	for _, m := range shown.FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.TrimSpace(m[1]+m[2]))
	}
	return lines
}

func understood(args []string) error {
	root := newRoot(&ui{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}
