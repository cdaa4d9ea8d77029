package partition

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
	"github.com/pgvigil/pgvigil/advisor/whatif"
)

// Plan is the way to a partitioned table.
type Plan struct {
	Steps    []pgvigil.Step
	Undo     []pgvigil.Step
	Warnings []pgvigil.Warning
}

// ErrNoBound says that nothing tells where the first partition has to end.
var ErrNoBound = errors.New("the statistics do not say where the key's values end")

// NewPlan renders the plan for an answer at a moment. Every statement is
// complete; the swap is one transaction that gives up rather than queue.
func NewPlan(c *index.Catalog, a Answer, now time.Time) (Plan, error) {
	p := planner{catalog: c, answer: a, table: a.Table, now: now}
	if err := p.bounds(); err != nil {
		return Plan{}, fmt.Errorf("plan the partitions of %s: %w", whatif.Quote(a.Table.Schema, a.Table.Name), err)
	}
	p.names()
	return Plan{Steps: p.steps(), Undo: p.undo(), Warnings: p.warnings()}, nil
}

type planner struct {
	catalog *index.Catalog
	answer  Answer
	table   *pgvigil.Table
	now     time.Time

	first, next string // names of partitions
	check       string // the constraint that spares the scan
	unique      string // the new primary key's index
	// condition is what all rows of the first partition meet; of and after are
	// the bounds of the first and the next partition.
	condition, of, after string
}

func (p *planner) q(names ...string) string { return whatif.Quote(names...) }

func (p *planner) full(name string) string { return p.q(p.table.Schema, name) }

// names derives names that fit into 63 bytes.
func (p *planner) names() {
	base := p.table.Name
	if len(base) > 48 {
		base = strings.ToValidUTF8(base[:48], "")
	}
	p.first, p.next = base+"_p0", base+"_p1"
	p.check, p.unique = base+"_p0_bound", base+"_p0_pkey"
}

// bounds says which values the old table will hold as the first partition:
// all up to a value that is far enough ahead to finish the plan before.
func (p *planner) bounds() error {
	col := p.q(p.answer.Column.Name)
	kind := p.answer.Column.Type
	switch {
	case p.answer.Strategy == ByList:
		return p.listBounds(col)
	case strings.HasPrefix(kind, "timestamp"), kind == "date":
		end := time.Date(p.now.Year(), p.now.Month()+2, 1, 0, 0, 0, 0, time.UTC)
		p.rangeBounds(col, day(end), day(end.AddDate(0, 1, 0)))
		return nil
	case p.answer.Highest > 0:
		step := magnitude(p.answer.Highest)
		end := (math.Ceil(p.answer.Highest*1.1/step) + 1) * step
		p.rangeBounds(col, fmt.Sprintf("%.0f", end), fmt.Sprintf("%.0f", end*2))
		return nil
	}
	return ErrNoBound
}

func day(t time.Time) string { return t.Format("2006-01-02") }

// magnitude is the power of ten below v, at least 1.
func magnitude(v float64) float64 { return math.Max(1, math.Pow10(int(math.Log10(v)))) }

func (p *planner) rangeBounds(col, end, after string) {
	p.condition = fmt.Sprintf("%s IS NOT NULL AND %s < %s", col, col, whatif.Literal(end))
	p.of = fmt.Sprintf("FROM (MINVALUE) TO (%s)", whatif.Literal(end))
	p.after = fmt.Sprintf("FROM (%s) TO (%s)", whatif.Literal(end), whatif.Literal(after))
}

func (p *planner) listBounds(col string) error {
	if len(p.answer.Values) == 0 {
		return ErrNoBound
	}
	values, top := make([]string, len(p.answer.Values)), 0
	for i, v := range p.answer.Values {
		var n int
		if _, err := fmt.Sscan(v, &n); err != nil {
			return ErrNoBound
		}
		values[i], top = fmt.Sprint(n), max(top, n)
	}
	list := strings.Join(values, ", ")
	p.condition = fmt.Sprintf("%s IS NOT NULL AND %s IN (%s)", col, col, list)
	p.of = "IN (" + list + ")"
	p.after = fmt.Sprintf("IN (%d)", top+1)
	return nil
}

const shortLock = "SET LOCAL lock_timeout = '500ms';"

func transaction(statements ...string) string {
	return "BEGIN;\n" + shortLock + "\n" + strings.Join(statements, ";\n") + ";\nCOMMIT;"
}

func (p *planner) steps() []pgvigil.Step {
	t := p.full(p.table.Name)
	return []pgvigil.Step{
		{
			SQL:  fmt.Sprintf(precheckSQL, whatif.Literal(t)),
			Note: "phase 1, look: each row is something that the swap does not carry over; settle it first",
		}, {
			SQL: transaction(fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s) NOT VALID", t, p.q(p.check), p.condition)),
			Note: "phase 2, prepare: ACCESS EXCLUSIVE for a moment, or nothing; repeat after a lock timeout; " +
				"from here on rows past the bound are refused, so finish the plan before they come",
			OutsideTx: true,
		}, {
			SQL:       fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", t, p.q(p.check)),
			Note:      "reads the whole table; reads and writes go on",
			OutsideTx: true,
		}, {
			SQL:       fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s)", p.q(p.unique), t, p.keyColumns()),
			Note:      "a primary key of a partitioned table must hold the partition key; reads and writes go on",
			OutsideTx: true,
		}, {
			SQL:       transaction(p.swap()...),
			Note:      "phase 3, swap: ACCESS EXCLUSIVE for some milliseconds, or nothing; no row is read or moved, for the constraint is valid",
			OutsideTx: true,
		}, {
			SQL:       transaction(fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", p.full(p.first), p.q(p.check))),
			Note:      "phase 4, tidy up: the bound says the same; then ANALYZE the new table, and have a job make partitions ahead of time",
			OutsideTx: true,
		},
	}
}

// keys are the columns of the new primary key: the old one's and the partition
// key.
func (p *planner) keys() []string {
	var out []string
	for _, x := range p.catalog.Indexes(p.table) {
		if x.Primary {
			out = x.Parts.KeyNames()
		}
	}
	if !slices.Contains(out, p.answer.Column.Name) {
		out = append(out, p.answer.Column.Name)
	}
	return out
}

func (p *planner) keyColumns() string {
	names := p.keys()
	for i, n := range names {
		names[i] = p.q(n)
	}
	return strings.Join(names, ", ")
}

// swap is the transaction that puts the partitioned table in the old one's
// place.
func (p *planner) swap() []string {
	t, first := p.full(p.table.Name), p.full(p.first)
	out := []string{
		fmt.Sprintf("ALTER TABLE %s RENAME TO %s", t, p.q(p.first)),
		fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMMENTS) PARTITION BY %s (%s)",
			t, first, p.answer.Strategy, p.q(p.answer.Column.Name)),
	}
	if old := p.primaryName(); old != "" {
		out = append(out, fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s, ADD PRIMARY KEY USING INDEX %s", first, p.q(old), p.q(p.unique)))
		out = append(out, fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (%s)", t, p.keyColumns()))
	}
	for _, x := range p.carried() {
		out = append(out, x.SQL(whatif.DDL{}))
	}
	return append(out,
		fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s FOR VALUES %s", t, first, p.of),
		fmt.Sprintf("CREATE TABLE %s PARTITION OF %s FOR VALUES %s", p.full(p.next), t, p.after))
}

func (p *planner) primaryName() string {
	for _, x := range p.catalog.Indexes(p.table) {
		if x.Primary {
			return x.Constraint
		}
	}
	return ""
}

// carried are the indexes that the new table gets too. The old table's parts
// are found to be equal and attached; none is built.
func (p *planner) carried() (out []whatif.Index) {
	for _, x := range p.catalog.Indexes(p.table) {
		if x.Primary || x.Unique || !x.Valid || len(x.Parts.Keys) == 0 {
			continue
		}
		y := x.Parts
		y.Schema, y.Table, y.Storage = p.table.Schema, p.table.Name, ""
		y.Name = cutName(y.Name) + "_p"
		out = append(out, y)
	}
	return out
}

func cutName(s string) string {
	if len(s) > 61 {
		return strings.ToValidUTF8(s[:61], "")
	}
	return s
}

func (p *planner) undo() []pgvigil.Step {
	t, first := p.full(p.table.Name), p.full(p.first)
	spare := p.table.Name + "_partitioned"
	if len(spare) > 63 {
		spare = strings.ToValidUTF8(spare[len(spare)-63:], "")
	}
	return []pgvigil.Step{{
		SQL: transaction(
			fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s", t, first),
			fmt.Sprintf("ALTER TABLE %s RENAME TO %s", t, p.q(spare)),
			fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s", first, p.q(p.check)),
			fmt.Sprintf("ALTER TABLE %s RENAME TO %s", first, p.q(p.table.Name)),
			fmt.Sprintf("INSERT INTO %s SELECT * FROM %s", t, p.full(spare))),
		Note: "puts the old table back and moves the rows that came since; ACCESS EXCLUSIVE while it moves them. " +
			"The primary key keeps the partition key",
		OutsideTx: true,
	}}
}

// warnings say what the plan does not solve.
func (p *planner) warnings() (out []pgvigil.Warning) {
	warn := func(code, text string) { out = append(out, pgvigil.Warning{Code: code, Text: text}) }
	for _, x := range p.catalog.Indexes(p.table) {
		if x.Unique && !x.Primary && !slices.Contains(x.Parts.KeyNames(), p.answer.Column.Name) {
			warn("unique-lost", fmt.Sprintf("%s is unique without the partition key; it stays so within the first partition only", x.Name))
		}
	}
	for _, x := range p.catalog.Indexes(p.table) {
		if len(x.Parts.Keys) == 0 && x.Valid {
			warn("index-left-out", fmt.Sprintf("%s is not carried over: a constant of its definition is not kept; create it on the new table by hand", x.Name))
		}
	}
	for _, k := range p.catalog.Constraints() {
		if k.Kind == "f" && k.RefTableID == p.table.Key.RelID {
			warn("referenced", fmt.Sprintf("the foreign key %s refers to the table; it must carry the partition key or go", k.Name))
		}
	}
	if p.primaryName() == "" {
		warn("no-primary-key", "the table has no primary key")
	}
	return out
}
