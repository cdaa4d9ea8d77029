package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// tierNames are the headings, and what belongs to each.
var tierNames = [tierCount]string{
	tierCounters: "tier 1, counters: statements, tables, waits, settings",
	tierPlans:    "tier 2, plans of SELECT: plan changes, verified proposals, bloat",
	tierWrites:   "tier 3, plans of writes: by auto_explain or a scratch copy, never by rights",
	tierSettings: "settings",
	tierPlace:    "where it stands",
}

func printFindings(u *ui, p *patient, list []finding) {
	snap := p.snap
	u.print("%s: PostgreSQL %s, %s, role %s, pg_stat_statements %s, %d of %d statements, %d databases, a pass takes %s", p.target.Name, snap.Server.Version,
		roleOf(snap.Server), oneLine(p.exam.User, 63), orNone(snap.Statements.Extension), len(snap.Statements.List), snap.Statements.Max, len(snap.Databases), shortDuration(snap.Took))
	for t := range tierCount {
		of := slices.DeleteFunc(slices.Clone(list), func(f finding) bool { return f.Tier != t })
		switch {
		case len(of) == 0 && t == tierPlace:
			continue
		case lacking(of):
			u.print("  %s", tierNames[t])
		default:
			u.print("  %s: nothing is missing", tierNames[t])
		}
		for _, f := range of {
			printFinding(u, p, f)
		}
	}
}

func printFinding(u *ui, p *patient, f finding) {
	u.print("    %-22s %s", f.Code, oneLine(f.Text, 900))
	if f.Without != "" {
		u.print("    %22s %s", "without it:", oneLine(f.Without, 400))
	}
	label := "mend it:"
	if f.Note {
		label = "you may:"
	}
	for _, sql := range p.statements(f) {
		u.print("    %22s %s", label, ended(asLine(sql)))
		label = ""
	}
	if f.ByHand != "" {
		u.print("    %22s %s", label, oneLine(f.ByHand, 400))
	}
	if f.Restart || f.Preload != "" {
		u.print("    %22s then restart the server", "")
	}
}

// statements are the SQL of a finding, for what the server is to load too.
func (p *patient) statements(f finding) []string {
	if f.Preload == "" {
		return f.SQL
	}
	if sql := p.preload(f.Preload); sql != "" {
		return append([]string{sql}, f.SQL...)
	}
	return append([]string{fmt.Sprintf("-- add '%s' to shared_preload_libraries", f.Preload)}, f.SQL...)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return oneLine(s, 20)
}

// script is what --print-fix prints, in the making.
type script struct {
	*patient
	u       *ui
	restart bool
	printed map[string]bool // statements: two findings may ask for the same
}

// printScript prints a script for psql. What is only good to have stands in it
// as a comment.
func printScript(u *ui, p *patient, list []finding) {
	s := &script{patient: p, u: u, printed: map[string]bool{}}
	s.head()
	var libraries []string
	places := []string{""}
	for _, f := range list {
		if f.Preload != "" && !f.Note {
			libraries = append(libraries, f.Preload)
		}
		if !slices.Contains(places, f.Database) {
			places = append(places, f.Database)
		}
	}
	if len(libraries) > 0 {
		s.preloading(libraries)
	}
	for _, place := range places {
		if place != "" {
			u.print("\n\\connect %s", asLine(quoted(place)))
		}
		for _, f := range list {
			if f.Database == place && (len(f.SQL) > 0 || f.ByHand != "" && !f.Note) {
				s.finding(f)
			}
		}
	}
	if s.restart {
		u.print("\n-- Then restart the server.")
	}
}

func (s *script) head() {
	who := "a superuser"
	if c, ok := catches[s.exam.Platform]; ok {
		who = fmt.Sprintf("the administrator (%s: settings are in %s)", s.exam.Platform, c.settings)
	}
	s.u.print("-- What pgvigil doctor found missing on %s, %s UTC.", oneLine(s.target.Name, 100), s.snap.At.UTC().Format(time.DateTime))
	s.u.print("-- Read it, then run it with psql as %s, connected to database %s. Nothing of it was run.", who, oneLine(s.exam.Home, 63))
	if s.snap.Server.InRecovery {
		s.u.print("-- This is a standby: run it on the primary; settings (ALTER SYSTEM) on this server.")
	}
}

func (s *script) preloading(libraries []string) {
	s.u.print("\n-- preload")
	sql := s.preload(libraries...)
	if sql == "" {
		s.u.print("-- Add %s to shared_preload_libraries; the role may not see what it has.", strings.Join(libraries, ", "))
	} else {
		s.statement(sql, false)
	}
	s.restart = true
}

func (s *script) finding(f finding) {
	s.u.print("\n-- %s: %s", f.Code, oneLine(f.Text, 900))
	if f.Note {
		s.u.print("-- Not needed; you may:")
	}
	list := f.SQL
	if f.Note {
		list = s.statements(f)
	}
	for _, sql := range list {
		s.statement(sql, f.Note)
	}
	if f.ByHand != "" {
		s.u.print("-- %s", oneLine(f.ByHand, 400))
	}
	if f.Restart && !f.Note {
		s.u.print("-- It takes effect after a restart.")
		s.restart = true
	}
}

// statement prints one statement, as a comment if it is optional, or if the
// platform sets what it sets by other means.
func (s *script) statement(sql string, optional bool) {
	c, managed := catches[s.exam.Platform]
	set, isSetting := strings.CutPrefix(sql, "ALTER SYSTEM SET ")
	if s.printed[sql] && sql != reload {
		s.u.print("-- mended above")
		return
	}
	s.printed[sql] = !optional
	switch {
	case managed && isSetting:
		s.u.print("-- in %s: %s", c.settings, asLine(set))
	case managed && (sql == reload || strings.HasPrefix(sql, "LOAD ")):
	case optional:
		s.u.print("-- %s", ended(asLine(sql)))
	default:
		s.u.print("%s;", asLine(sql))
	}
}

// ended puts a semicolon behind a statement; a remark has none.
func ended(sql string) string {
	if strings.HasPrefix(sql, "--") {
		return sql
	}
	return sql + ";"
}

// asLine is SQL on one line: a line end in a name would end a comment.
func asLine(sql string) string {
	if strings.ContainsFunc(sql, unicode.IsControl) {
		return oneLine(sql, 1000)
	}
	return sql
}
