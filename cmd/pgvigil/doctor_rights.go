package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
)

// ofRights compares the role's rights with what the tiers need, beyond what the
// pass has found out by itself.
func (p *patient) ofRights() []finding {
	e, role := p.exam, quoted(p.exam.User)
	var list []finding
	if e.Has("pg_read_all_stats") && !e.Has("pg_read_all_settings") {
		list = append(list, finding{
			Tier: tierCounters, Code: "no-settings-right", Text: "the role may not read settings that only superusers see",
			Without: "what is preloaded, and where logs are, is unknown", SQL: []string{"GRANT pg_read_all_settings TO " + role},
		})
	}
	if e.Knows("pg_use_reserved_connections") && !e.Superuser && !e.Has("pg_use_reserved_connections") {
		list = append(list, finding{
			Tier: tierCounters, Code: "no-reserved-connection", Note: true,
			Text:    "the role has no claim to a reserved connection",
			Without: "when every connection is used, pgvigil now and the sampler get none either (reserved_connections must be above 0)",
			SQL:     []string{"GRANT pg_use_reserved_connections TO " + role},
		})
	}
	list = append(list, p.hiddenTables()...)
	return append(list, p.powers()...)
}

// hiddenTables are those whose SELECTs cannot be planned.
func (p *patient) hiddenTables() []finding {
	hidden, tables := 0, 0
	var where []string
	for _, d := range p.exam.Databases {
		if d.Hidden > 0 {
			hidden, tables = hidden+d.Hidden, tables+d.Tables
			where = append(where, d.Name)
		}
	}
	if hidden == 0 {
		return nil
	}
	return []finding{{
		Tier: tierPlans, Code: "no-read-right",
		Text:    fmt.Sprintf("the role may not read %d of %d tables in %s", hidden, tables, oneLine(strings.Join(where, ", "), 100)),
		Without: "SELECTs on them are not planned: no plan changes, no verified index proposals, no estimates of bloat",
		SQL:     []string{"GRANT pg_read_all_data TO " + quoted(p.exam.User)},
		ByHand:  "or, table by table: GRANT USAGE ON SCHEMA ... and GRANT SELECT ON ALL TABLES IN SCHEMA ...",
	}}
}

// powers are rights that pgvigil should not have.
func (p *patient) powers() []finding {
	role := quoted(p.exam.User)
	if p.exam.Superuser {
		return []finding{{
			Tier: tierCounters, Code: "superuser", Note: true,
			Text:   "the role is a superuser: more than pgvigil needs, and foreign text is never planned with it",
			ByHand: "make a role of its own: CREATE ROLE pgvigil LOGIN; GRANT pg_monitor, pg_read_all_data TO pgvigil",
		}}
	}
	writable := 0
	for _, d := range p.exam.Databases {
		writable += d.Writable
	}
	if writable == 0 && !p.exam.Has("pg_write_all_data") {
		return nil
	}
	f := finding{
		Tier: tierWrites, Code: "may-write", Note: true,
		Text:   fmt.Sprintf("the role may write %d tables; pgvigil never does, its sessions are read-only", writable),
		ByHand: "take the right away, or make a role of its own: pgvigil does not need it for anything",
	}
	if p.exam.Has("pg_write_all_data") {
		f.SQL = []string{"REVOKE pg_write_all_data FROM " + role}
	}
	return []finding{f}
}

// ofExtensions says what the databases with tables lack.
func (p *patient) ofExtensions() []finding {
	var list []finding
	for _, d := range p.exam.Databases {
		installed := p.extensions(d.Name)
		list = append(list, p.outdated(d.Name, installed)...)
		if d.Tables == 0 {
			continue
		}
		if _, ok := installed["hypopg"]; !ok && !p.scratch {
			list = append(list, missingExtension(d, "hypopg", tierPlans,
				"proposals are verified on a scratch database (scratch.dsn), or not at all", "Debian: postgresql-NN-hypopg"))
		}
		switch _, ok := installed["pgstattuple"]; {
		case !ok:
			list = append(list, missingExtension(d, "pgstattuple", tierCounters,
				"estimates of bloat are not confirmed by measuring", "it comes with PostgreSQL's contrib"))
		case !d.MayMeasure && !p.exam.Has("pg_stat_scan_tables"):
			list = append(list, finding{
				Tier: tierCounters, Code: "no-scan-right", Text: "the role may not call pgstattuple in database " + d.Name,
				Without: "estimates of bloat are not confirmed by measuring", SQL: []string{"GRANT pg_stat_scan_tables TO " + quoted(p.exam.User)},
			})
		}
	}
	return list
}

func missingExtension(d collector.DatabaseRights, name string, t tier, without, source string) finding {
	f := finding{
		Tier: t, Code: name + "-missing", Text: fmt.Sprintf("database %s has no %s", d.Name, name), Without: without,
		Database: d.Name, SQL: []string{"CREATE EXTENSION " + name},
	}
	if !slices.Contains(d.Offered, name) {
		f.SQL, f.ByHand = nil, "install its files on the server ("+source+"), then CREATE EXTENSION "+name
	}
	return f
}

// extensions are those that a database has, by name.
func (p *patient) extensions(database string) map[string]pgvigil.Extension {
	all := map[string]pgvigil.Extension{}
	for _, db := range p.snap.Databases {
		for _, x := range db.Extensions {
			if db.Name == database {
				all[x.Name] = x
			}
		}
	}
	return all
}

// outdated is pg_stat_statements where the server was upgraded and it was not:
// the extension's version decides which counters there are.
func (p *patient) outdated(database string, installed map[string]pgvigil.Extension) []finding {
	x, ok := installed["pg_stat_statements"]
	if !ok || x.Available == "" || x.Version == x.Available {
		return nil
	}
	return []finding{{
		Tier: tierCounters, Code: "pgss-old", Text: fmt.Sprintf("pg_stat_statements in database %s is version %s; the server has %s", database, x.Version, x.Available),
		Without: "counters that the newer version has are unknown", Database: database, SQL: []string{"ALTER EXTENSION pg_stat_statements UPDATE"},
	}}
}

// ofWrites says how the plans of writes can be known, which takes no right of
// the role.
func (p *patient) ofWrites() []finding {
	explain := p.exam.AutoExplain
	if p.scratch || explain != "" && explain != "-1" {
		return nil
	}
	f := finding{
		Tier: tierWrites, Code: "write-plans-unknown", Note: true,
		Text:    "plans of INSERT, UPDATE, DELETE and SELECT FOR UPDATE are not known",
		Without: "their plan changes are not seen, and proposals for them are not verified",
		ByHand: "have auto_explain log slow ones, or name a scratch copy of the schema in scratch.dsn; " +
			"pgvigil never asks for the right to write",
	}
	if explain == "" {
		f.Preload = "auto_explain"
		f.SQL = append(f.SQL, "LOAD 'auto_explain'") // or its settings would be unknown
	}
	f.SQL = append(f.SQL, "ALTER SYSTEM SET auto_explain.log_min_duration = '1s'", "ALTER SYSTEM SET auto_explain.log_format = 'json'", reload)
	return []finding{f}
}
