package outlook

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// Upkeep is when autovacuum comes to a table.
type Upkeep struct {
	// Off says why it never comes, "" if it does.
	Off string
	// VacuumAt is how many dead rows it waits for.
	VacuumAt float64
}

// UpkeepOf returns when autovacuum comes to a table, by the server's settings
// and the table's own.
// Source: PostgreSQL manual, "The Autovacuum Daemon"; the upper bound is that of 18.
func UpkeepOf(t *pgvigil.Table, settings []pgvigil.Setting) Upkeep {
	var u Upkeep
	switch own, set := option(t.Options, "autovacuum_enabled"); {
	case !Switched(settings, "autovacuum"):
		u.Off = "autovacuum is off on the server"
	case !Switched(settings, "track_counts"):
		u.Off = "track_counts is off, which autovacuum needs"
	case set && !truth(own):
		u.Off = "autovacuum is switched off for the table"
	}
	u.VacuumAt = Number(settings, t.Options, "autovacuum_vacuum_threshold", 50) +
		Number(settings, t.Options, "autovacuum_vacuum_scale_factor", 0.2)*max(0, t.RelTuples)
	if most := Number(settings, t.Options, "autovacuum_vacuum_max_threshold", -1); most >= 0 {
		u.VacuumAt = min(u.VacuumAt, most)
	}
	return u
}

// Due says whether so many dead rows are more than autovacuum waits for.
func (u Upkeep) Due(dead float64) bool { return dead > u.VacuumAt }

// Number returns a setting of the server as a number, a table's own value
// first, and otherwise where neither is known.
func Number(settings []pgvigil.Setting, options []string, name string, otherwise float64) float64 {
	if own, ok := option(options, name); ok {
		if v, err := strconv.ParseFloat(own, 64); err == nil {
			return v
		}
	}
	for _, s := range settings {
		if s.Name == name && s.Scope == "" {
			if v, err := strconv.ParseFloat(s.Value, 64); err == nil {
				return v
			}
		}
	}
	return otherwise
}

// Switched says whether a setting of the server is on; one that is not known is.
func Switched(settings []pgvigil.Setting, name string) bool {
	for _, s := range settings {
		if s.Name == name && s.Scope == "" {
			return truth(s.Value)
		}
	}
	return true
}

// truth reads a boolean as Postgres does.
func truth(v string) bool {
	return !slices.Contains([]string{"off", "false", "no", "0", "f", "n"}, strings.ToLower(v))
}

func option(options []string, name string) (string, bool) {
	for _, o := range options {
		if v, ok := strings.CutPrefix(o, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// A vacuum is overdue when a table has overdueTimes as many dead rows as
// autovacuum waits for, overdueRows at least; the worst overdueMost are told.
const (
	overdueTimes = 2
	overdueRows  = 10_000
	overdueMost  = 10
)

// vacuums tells of tables that autovacuum does not come to.
func (j *judge) vacuums() {
	type overdue struct {
		db    *pgvigil.DatabaseRead
		table *pgvigil.Table
		up    Upkeep
	}
	var list []overdue
	for i := range j.Catalog {
		for k := range j.Catalog[i].Tables {
			t := &j.Catalog[i].Tables[k]
			up := UpkeepOf(t, j.Settings)
			dead := t.Counters.DeadTuples
			if t.Kind != "p" && dead >= overdueRows && (dead > overdueTimes*up.VacuumAt || up.Off != "" && up.Due(dead)) && !j.vacuuming(t.Key) {
				list = append(list, overdue{&j.Catalog[i], t, up})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b overdue) int {
		return cmp.Compare(b.table.Counters.DeadTuples, a.table.Counters.DeadTuples)
	})
	for _, o := range list[:min(overdueMost, len(list))] {
		j.add(pgvigil.Risk{
			Kind: pgvigil.RiskVacuum, Severity: pgvigil.Ticket, Database: o.db.Name, Object: o.table.Schema + "." + o.table.Name,
			Text: j.overdueText(o.db, o.table, o.up), Remedy: j.overdueRemedy(o.db, o.table, o.up),
		})
	}
}

// vacuuming says whether a vacuum of the table is under way.
func (j *judge) vacuuming(key pgvigil.RelationKey) bool {
	return slices.ContainsFunc(j.last.State.Progress, func(p pgvigil.Progress) bool { return p.Kind == "vacuum" && p.Key == key })
}

func (j *judge) overdueText(d *pgvigil.DatabaseRead, t *pgvigil.Table, up Upkeep) string {
	text := fmt.Sprintf("%s.%s holds %s dead rows beside %s live ones; autovacuum should come at %s",
		t.Schema, t.Name, count(t.Counters.DeadTuples), count(t.Counters.LiveTuples), count(up.VacuumAt))
	switch h, held := j.oldestHolder(d.Name); {
	case up.Off != "":
		return text + ", but " + up.Off + "."
	case held && h.Age > 0 && !t.LastVacuum.IsZero() && (h.Since.IsZero() || h.Since.Before(t.LastVacuum)):
		return text + ". It was there at " + t.LastVacuum.Format("2006-01-02 15:04 UTC") + " and may not remove them: " + holderWords(h) + " may still need them."
	case t.LastVacuum.IsZero():
		return text + ", and never did since the statistics began."
	}
	return text + "; it was last there at " + t.LastVacuum.Format("2006-01-02 15:04 UTC") + "."
}

func (j *judge) overdueRemedy(d *pgvigil.DatabaseRead, t *pgvigil.Table, up Upkeep) string {
	own, set := option(t.Options, "autovacuum_enabled")
	switch h, held := j.oldestHolder(d.Name); {
	case set && !truth(own):
		return "ALTER TABLE " + quoted(t.Schema, t.Name) + " RESET (autovacuum_enabled)"
	case up.Off != "":
		return "ALTER SYSTEM RESET autovacuum, then reload"
	case held && !t.LastVacuum.IsZero() && (h.Since.IsZero() || h.Since.Before(t.LastVacuum)):
		return "first end " + holderWords(h)
	}
	return "VACUUM " + quoted(t.Schema, t.Name)
}

// busyShare is the share of the passes of a window in which all workers must
// be seen at work, busyPasses how many passes there must be.
const (
	busyShare  = 0.5
	busyPasses = 10
)

// workers tells of an autovacuum that never rests.
func (j *judge) workers() {
	limit := Number(j.Settings, nil, "autovacuum_max_workers", 3)
	busy := 0
	for i := range j.Points {
		at := 0
		for _, p := range j.Points[i].State.Progress {
			if p.Auto {
				at++
			}
		}
		if float64(at) >= limit {
			busy++
		}
	}
	share := float64(busy) / float64(len(j.Points))
	if len(j.Points) < busyPasses || share < busyShare {
		return
	}
	j.add(pgvigil.Risk{
		Kind: pgvigil.RiskWorkers, Severity: pgvigil.Ticket, Object: "autovacuum_max_workers",
		Text:   fmt.Sprintf("All %.0f autovacuum workers were at work in %s of the passes, so tables wait for their turn.", limit, percent(share)),
		Remedy: "let each worker do more (autovacuum_vacuum_cost_limit) before raising autovacuum_max_workers: they share one budget",
	})
}
