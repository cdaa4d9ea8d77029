package outlook

import (
	"fmt"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// invalidIndexes tells of indexes that every write pays for and no query uses.
// Those being built are left alone, and so are the parents of partitioned ones,
// which hold nothing.
func (j *judge) invalidIndexes() {
	page := pgvigil.Bytes(Number(j.Settings, nil, "block_size", 8192))
	for i := range j.Catalog {
		d := &j.Catalog[i]
		for k := range d.Indexes {
			x := &d.Indexes[k]
			if x.Valid || x.Pages == 0 || j.building(x) {
				continue
			}
			j.add(pgvigil.Risk{
				Kind: pgvigil.RiskInvalidIndex, Severity: pgvigil.Ticket, Database: d.Name, Object: x.Schema + "." + x.Name,
				Text:   fmt.Sprintf("Index %s.%s on %s is not valid: no query uses it, while writes keep up its %s.", x.Schema, x.Name, x.Table, size(pgvigil.Bytes(x.Pages)*page)),
				Remedy: fmt.Sprintf("REINDEX INDEX CONCURRENTLY %s, or DROP INDEX CONCURRENTLY %[1]s if another replaces it", quoted(x.Schema, x.Name)),
			})
		}
	}
}

// building says whether an index of the same table is being built.
func (j *judge) building(x *pgvigil.Index) bool {
	return slices.ContainsFunc(j.last.State.Progress, func(p pgvigil.Progress) bool {
		return p.Kind == "create index" && p.Key == pgvigil.RelationKey{DBID: x.Key.DBID, RelID: x.TableID}
	})
}

// unvalidated tells of constraints that old rows may break.
func (j *judge) unvalidated() {
	for i := range j.Catalog {
		d := &j.Catalog[i]
		for _, k := range d.Constraints {
			if k.Validated || k.Kind != "c" && k.Kind != "f" {
				continue
			}
			t, ok := tableOf(d, k.TableID)
			if !ok {
				continue
			}
			j.add(pgvigil.Risk{
				Kind: pgvigil.RiskUnvalidated, Severity: pgvigil.ReportOnly, Database: d.Name, Object: t.Schema + "." + t.Name + "." + k.Name,
				Text:   fmt.Sprintf("Constraint %s of %s.%s was never validated: rows from before it may break it, and the planner does not trust it.", k.Name, t.Schema, t.Name),
				Remedy: fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s (reads the table, keeps nobody from writing)", quoted(t.Schema, t.Name), ident(k.Name)),
			})
		}
	}
}

func tableOf(d *pgvigil.DatabaseRead, oid pgvigil.OID) (*pgvigil.Table, bool) {
	i := slices.IndexFunc(d.Tables, func(t pgvigil.Table) bool { return t.Key.RelID == oid })
	if i < 0 {
		return nil, false
	}
	return &d.Tables[i], true
}

// restarts tells of settings whose new value waits for a restart.
func (j *judge) restarts() {
	for _, s := range j.Settings {
		if s.Pending {
			j.add(pgvigil.Risk{
				Kind: pgvigil.RiskRestart, Severity: pgvigil.ReportOnly, Object: s.Name,
				Text:   fmt.Sprintf("Setting %s has a new value that waits for a restart; the server still runs with %s%s.", s.Name, s.Value, s.Unit),
				Remedy: "restart the server when it suits, or take the change back",
			})
		}
	}
}
