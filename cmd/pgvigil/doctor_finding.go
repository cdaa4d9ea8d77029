package main

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// tier is what rights, or what else, a finding is about; in order of need.
type tier int

const (
	tierCounters tier = iota // rights to read counters
	tierPlans                // to plan SELECT
	tierWrites               // to learn the plans of writes
	tierSettings
	tierPlace // where the target stands
	tierCount
)

// finding is something that is missing on a target, or to be known of it.
type finding struct {
	Tier     tier
	Code     string
	Text     string
	Without  string   // what works less without it
	Database string   // where SQL has to run; "" anywhere on the server
	SQL      []string // that mends it, one statement each
	Preload  string   // library that the server has to load at its start
	ByHand   string   // what to do where no SQL mends it
	Restart  bool     // it takes effect after a restart
	// Note says that nothing is missing: it is good to know, or to have.
	Note bool
}

// lacking says whether anything is missing.
func lacking(list []finding) bool {
	for _, f := range list {
		if !f.Note {
			return true
		}
	}
	return false
}

// findings are all there are about a target, by tier.
func (p *patient) findings() []finding {
	var all []finding
	all = append(all, p.ofPass()...)
	all = append(all, p.ofRights()...)
	all = append(all, p.ofExtensions()...)
	all = append(all, p.ofWrites()...)
	all = append(all, p.ofSettings()...)
	all = append(all, p.ofPlace()...)
	var list []finding
	for t := range tierCount {
		for _, f := range all {
			if f.Tier == t {
				list = append(list, f)
			}
		}
	}
	return list
}

// known says of the warnings of a pass what tier they belong to, and what works
// less. A code that is not here is about counters.
var known = map[string]struct {
	tier    tier
	without string
}{
	"no-stats-rights":      {tierCounters, "statements and sessions of other roles are neither counted nor shown: no regression of theirs is seen"},
	"pgss-missing":         {tierCounters, "no statement is counted: no regressions, no alerts, no proposals; tables, waits and settings are still watched"},
	"pgss-not-preloaded":   {tierCounters, "no statement is counted: no regressions, no alerts, no proposals; tables, waits and settings are still watched"},
	"no-connect-right":     {tierCounters, "its tables and indexes are not watched; its statements are"},
	"system-id-unknown":    {tierCounters, "a primary and its standbys are watched as if they had nothing to do with each other"},
	"timeline-unknown":     {tierCounters, "a failover is told by the restart alone"},
	"no-statistics-rights": {tierPlans, "bloat is not estimated, and proposals do not know how selective a column is"},
	"sequences-hidden":     {tierPlans, "no warning before a sequence or its column runs out"},
	"query-ids-off":        {tierSettings, "no statement is counted"},
	"tracking-off":         {tierSettings, "no statement is counted"},
}

// passing are warnings about one moment; the next pass mends them.
var passing = map[string]bool{
	"catalog-stale": true, "sizes-by-relpages": true, "database-gone": true, "bloat-unconfirmed": true, "gave-way": true, "unguarded": true,
}

// ofPass turns what the pass could not read into findings.
func (p *patient) ofPass() []finding {
	var list []finding
	for _, w := range p.snap.Warnings {
		k := known[w.Code]
		f := finding{Tier: k.tier, Code: w.Code, Text: w.Text, Without: k.without, Note: passing[w.Code]}
		switch {
		case w.Code == "pgss-missing":
			f.Database, f.SQL = p.exam.Home, []string{"CREATE EXTENSION pg_stat_statements"}
			if !p.exam.PreloadHidden && !p.preloads("pg_stat_statements") {
				f.Preload = "pg_stat_statements"
			}
		case w.Code == "pgss-not-preloaded":
			f.Preload = "pg_stat_statements"
		case w.Code == "query-ids-off" || w.Code == "tracking-off":
			f.SQL = []string{w.Remedy, reload}
		case isSQL(w.Remedy):
			f.SQL = []string{w.Remedy}
		default:
			f.ByHand = w.Remedy
		}
		list = append(list, f)
	}
	return list
}

const reload = "SELECT pg_reload_conf()"

// isSQL tells a remedy that can be run from one in words.
func isSQL(remedy string) bool {
	word, _, _ := strings.Cut(remedy, " ")
	return word == "GRANT" || word == "ALTER" || word == "CREATE"
}

// preloads says whether a library is preloaded, as far as the role may see.
func (p *patient) preloads(library string) bool {
	for name := range strings.SplitSeq(p.exam.Preload, ",") {
		if strings.TrimSpace(name) == library {
			return true
		}
	}
	return false
}

// preload is the SQL that adds libraries to those that the server loads, "" where
// the role may not see which these are: the others must stay.
func (p *patient) preload(libraries ...string) string {
	if p.exam.PreloadHidden {
		return ""
	}
	var names []string
	for name := range strings.SplitSeq(p.exam.Preload, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(libraries, name) {
			names = append(names, name)
		}
	}
	var literals []string
	for _, name := range append(names, libraries...) {
		literals = append(literals, "'"+strings.ReplaceAll(name, "'", "''")+"'")
	}
	return "ALTER SYSTEM SET shared_preload_libraries = " + strings.Join(literals, ", ")
}

// quoted is a name as SQL takes it.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// setting returns the server's value of a setting, and whether it is known.
func (p *patient) setting(name string) (pgvigil.Setting, bool) {
	for _, s := range p.snap.Settings {
		if s.Name == name && s.Scope == "" {
			return s, true
		}
	}
	return pgvigil.Setting{}, false
}
