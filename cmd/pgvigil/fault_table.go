package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/fixtures"
)

func newFaultTable(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:    "fault-table DIR",
		Short:  "Write the table of docs/faults.md from what demo --format json printed into DIR",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return faultTable(u, args[0]) },
	}
}

const faultTableHead = `# What the demo notices of each fault

Made by ` + "`make faults`" + `: one run of ` + "`pgvigil demo --fault NAME --format json`" + ` each, on a real server, with passes two seconds
apart and the detector of ` + "`pgvigil serve`" + `. Seconds count from the injection to the alert. "Sent as" is
the severity: report means that nobody is disturbed before the report. "Others blamed" counts convictions of queries that
must not move or share no table with those that must, sent and for the report only; a changed setting may move any.

| fault | what was planted | cause | noticed | cause named | sent as | seconds | others blamed |
|---|---|---|---|---|---|---|---|`

func faultTable(u *ui, dir string) error {
	u.print("%s", faultTableHead)
	for _, f := range fixtures.Faults() {
		r, err := readDemoResult(filepath.Join(dir, f.Name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, errNoResult) {
			u.print("| %s | %s | %s | the demo did not run | | | | |", f.Name, f.Title, withDetail(string(f.Truth.Cause), f.Truth.Detail))
			continue
		}
		if err != nil {
			return fmt.Errorf("read the result of %s: %w", f.Name, err)
		}
		u.print("| %s | %s | %s | %s | %s | %s | %s | %s |", f.Name, f.Title, withDetail(string(f.Truth.Cause), f.Truth.Detail),
			noticed(f, r), withDetail(r.Cause, r.Detail), severity(r), seconds(r), othersBlamed(r))
	}
	return nil
}

// errNoResult says that a demo ended before it had a result.
var errNoResult = errors.New("no result")

func readDemoResult(path string) (r demoResult, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if len(b) == 0 {
		return r, errNoResult
	}
	return r, json.Unmarshal(b, &r)
}

func noticed(f fixtures.Fault, r demoResult) string {
	switch {
	case f.Truth.Kind == "":
		return "nothing to notice"
	case !r.Detected:
		return "**no**"
	case r.Cause != string(f.Truth.Cause):
		return "yes, **wrong cause**"
	}
	return "yes"
}

func withDetail(cause, detail string) string {
	switch {
	case cause == "":
		return "-"
	case detail == "":
		return cause
	}
	return cause + ": " + detail
}

func seconds(r demoResult) string {
	if !r.Detected {
		return "-"
	}
	return fmt.Sprintf("%.0f", r.Seconds)
}

func othersBlamed(r demoResult) string {
	var sent, noted int
	for _, a := range r.Alerts {
		switch {
		case !a.Wrong:
		case a.Severity == string(pgvigil.ReportOnly):
			noted++
		default:
			sent++
		}
	}
	return fmt.Sprintf("%d sent, %d in the report", sent, noted)
}

// severity is how the alert that tells of the fault reached people.
func severity(r demoResult) string {
	if !r.Detected {
		return "-"
	}
	return r.Severity
}
