package ddl_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil/query/ddl"
)

// one parses a script of one statement and blanks what every one has.
func one(t *testing.T, script string) ddl.Statement {
	t.Helper()
	statements, err := ddl.Parse(script)
	if err != nil || len(statements) != 1 {
		t.Fatalf("Parse(%q) = %d statements, %v; want one", script, len(statements), err)
	}
	s := statements[0]
	s.Text, s.Line, s.Offset, s.End, s.Warnings = "", 0, 0, 0, nil
	return s
}

func target(name string) []ddl.Relation { return []ddl.Relation{{Name: name, Use: ddl.Target}} }

func TestStatementsAreRead(t *testing.T) {
	tests := map[string]ddl.Statement{
		`CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t USING btree (a, lower(b)) INCLUDE (c) WHERE d = 1`: {
			Kind: ddl.CreateIndex, Verb: "create unique index concurrently", Concurrently: true, IfNotExists: true,
			Relations: []ddl.Relation{{Schema: "s", Name: "t", Use: ddl.Target}},
			Index:     &ddl.Index{Name: "i", Unique: true, Method: "btree", Columns: []string{"a", ""}, Expressions: true, Include: []string{"c"}, Partial: true},
		},
		`DROP INDEX CONCURRENTLY IF EXISTS a, s.b`: {
			Kind: ddl.Drop, Verb: "drop index concurrently", Object: "index", Concurrently: true, IfExists: true,
			Relations: []ddl.Relation{{Name: "a", Use: ddl.Target}, {Schema: "s", Name: "b", Use: ddl.Target}},
		},
		`DROP TABLE t CASCADE`:                            {Kind: ddl.Drop, Verb: "drop table", Object: "table", Cascade: true, Relations: target("t")},
		`ALTER TABLE t RENAME TO u`:                       {Kind: ddl.Rename, Verb: "alter table", Object: "table", NewName: "u", Relations: target("t")},
		`ALTER TABLE t RENAME a TO b`:                     {Kind: ddl.Rename, Verb: "alter table", Object: "column", Column: "a", NewName: "b", Relations: target("t")},
		`ALTER TABLE t SET SCHEMA s`:                      {Kind: ddl.SetSchema, Verb: "alter table", Object: "table", NewName: "s", Relations: target("t")},
		`TRUNCATE a, b CASCADE`:                           {Kind: ddl.Truncate, Verb: "truncate", Cascade: true, Relations: append(target("a"), target("b")...)},
		`VACUUM (FULL, ANALYZE) t`:                        {Kind: ddl.Vacuum, Verb: "vacuum", Full: true, Relations: target("t")},
		`VACUUM (FULL off) t`:                             {Kind: ddl.Vacuum, Verb: "vacuum", Relations: target("t")},
		`ANALYZE t`:                                       {Kind: ddl.Analyze, Verb: "analyze", Relations: target("t")},
		`REINDEX TABLE CONCURRENTLY t`:                    {Kind: ddl.Reindex, Verb: "reindex table concurrently", Object: "table", Concurrently: true, Relations: target("t")},
		`CLUSTER t USING i`:                               {Kind: ddl.Cluster, Verb: "cluster", Relations: target("t")},
		`LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE NOWAIT`: {Kind: ddl.Lock, Verb: "lock table", Mode: "share row exclusive", NoWait: true, Relations: target("t")},
		`REFRESH MATERIALIZED VIEW CONCURRENTLY v`:        {Kind: ddl.Refresh, Verb: "refresh materialized view concurrently", Concurrently: true, Relations: target("v")},
		`BEGIN`:                         {Kind: ddl.Transaction, Verb: "begin"},
		`ROLLBACK TO SAVEPOINT a`:       {Kind: ddl.Transaction, Verb: "rollback to savepoint"},
		`SET lock_timeout = '5s'`:       {Kind: ddl.Set, Verb: "set", Setting: &ddl.Setting{Name: "lock_timeout", Value: "5s"}},
		`SET LOCAL app.token = 'x'`:     {Kind: ddl.Set, Verb: "set", Setting: &ddl.Setting{Name: "app.token", Local: true}},
		`RESET lock_timeout`:            {Kind: ddl.Set, Verb: "reset", Setting: &ddl.Setting{Name: "lock_timeout", Reset: true}},
		`UPDATE t SET a = 1`:            {Kind: ddl.Update, Verb: "update", Relations: target("t")},
		`DELETE FROM t USING u WHERE a`: {Kind: ddl.Delete, Verb: "delete", Where: true, Relations: append(target("t"), ddl.Relation{Name: "u", Use: ddl.Reads})},
		`INSERT INTO t SELECT * FROM u`: {Kind: ddl.Insert, Verb: "insert", Relations: append(target("t"), ddl.Relation{Name: "u", Use: ddl.Reads})},
		`DO $$ BEGIN END $$`:            {Kind: ddl.Do, Verb: "do"},
		`CREATE TABLE IF NOT EXISTS a AS SELECT 1 FROM b WITH NO DATA`: {
			Kind: ddl.CreateTableAs, Verb: "create table", Object: "table", IfNotExists: true, NoData: true,
			Relations: []ddl.Relation{{Name: "a", Use: ddl.Creates}, {Name: "b", Use: ddl.Reads}},
		},
		`CREATE POLICY p ON t USING (true)`: {Kind: ddl.Other, Verb: "create policy", Relations: []ddl.Relation{{Name: "t", Use: ddl.Reads}}},
		`MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE RETURNING t.a`: {
			Kind: ddl.Unparsed, Verb: "merge", Relations: []ddl.Relation{{Name: "t", Use: ddl.Reads}, {Name: "s", Use: ddl.Reads}},
		},
	}
	for script, want := range tests {
		t.Run(script, func(t *testing.T) {
			if diff := cmp.Diff(want, one(t, script)); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", script, diff)
			}
		})
	}
}

func TestTablesAreReadWithColumnsAndConstraints(t *testing.T) {
	got := one(t, `CREATE UNLOGGED TABLE s.t (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x',
		at timestamptz DEFAULT now(), tags text[], p int REFERENCES q (id), CHECK (name IS NOT NULL), UNIQUE (name, at)
	) PARTITION BY LIST (p)`)
	want := ddl.Statement{
		Kind: ddl.CreateTable, Verb: "create unlogged table", Unlogged: true,
		Relations: []ddl.Relation{{Schema: "s", Name: "t", Use: ddl.Creates}, {Name: "q", Use: ddl.References}},
		Columns: []ddl.Column{
			{Name: "id", Type: "int8", NotNull: true, Identity: true},
			{Name: "name", Type: "varchar(20)", NotNull: true, Default: &ddl.Default{Constant: true}},
			{Name: "at", Type: "timestamptz", Default: &ddl.Default{Functions: []string{"now"}}},
			{Name: "tags", Type: "text[]"},
			{Name: "p", Type: "int4"},
		},
		Constraints: []ddl.Constraint{
			{Kind: ddl.PrimaryKey, Columns: []string{"id"}},
			{Kind: ddl.NotNull, Columns: []string{"name"}},
			{Kind: ddl.ForeignKey, Columns: []string{"p"}, References: &ddl.Relation{Name: "q", Use: ddl.References}},
			{Kind: ddl.Check, Columns: []string{}, NotNullOf: "name"},
			{Kind: ddl.Unique, Columns: []string{"name", "at"}},
		},
		Partition: &ddl.Partition{By: "list", Columns: []string{"p"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CREATE TABLE (-want +got):\n%s", diff)
	}
	got = one(t, `CREATE TABLE t_1 PARTITION OF t DEFAULT`)
	if p := got.Partition; p == nil || p.Of == nil || p.Of.Name != "t" || !p.Default {
		t.Errorf("partition = %+v; want the default one of t", p)
	}
}

func TestSubcommandsAreRead(t *testing.T) {
	tests := map[string]ddl.Command{
		"ADD COLUMN IF NOT EXISTS a int NOT NULL": {Action: ddl.AddColumn, Name: "a", IfNotExists: true, Column: &ddl.Column{Name: "a", Type: "int4", NotNull: true}},
		"DROP COLUMN IF EXISTS a CASCADE":         {Action: ddl.DropColumn, Name: "a", IfExists: true, Cascade: true},
		"ALTER a TYPE bigint USING a::bigint":     {Action: ddl.AlterColumnType, Name: "a", Using: true, Column: &ddl.Column{Type: "int8"}},
		"ALTER a SET DEFAULT 1":                   {Action: ddl.SetDefault, Name: "a"},
		"ALTER a DROP DEFAULT":                    {Action: ddl.DropDefault, Name: "a"},
		"ALTER a SET NOT NULL":                    {Action: ddl.SetNotNull, Name: "a"},
		"ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID": {
			Action: ddl.AddConstraint, Name: "c", Constraint: &ddl.Constraint{Kind: ddl.Check, Name: "c", Columns: []string{}, NotValid: true, NotNullOf: "a"},
		},
		"ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES s.u (b) NOT VALID": {
			Action: ddl.AddConstraint, Name: "c",
			Constraint: &ddl.Constraint{Kind: ddl.ForeignKey, Name: "c", Columns: []string{"a"}, NotValid: true, References: &ddl.Relation{Schema: "s", Name: "u", Use: ddl.References}},
		},
		"ADD CONSTRAINT c PRIMARY KEY USING INDEX i": {Action: ddl.AddConstraint, Name: "c", Constraint: &ddl.Constraint{Kind: ddl.PrimaryKey, Name: "c", Columns: []string{}, UsingIndex: "i"}},
		"VALIDATE CONSTRAINT c":                      {Action: ddl.ValidateConstraint, Name: "c"},
		"DROP CONSTRAINT c":                          {Action: ddl.DropConstraint, Name: "c"},
		"ATTACH PARTITION p FOR VALUES IN (1)":       {Action: ddl.AttachPartition, Name: "p"},
		"DETACH PARTITION p CONCURRENTLY":            {Action: ddl.DetachPartition, Name: "p", Concurrently: true},
		"SET (fillfactor = 70)":                      {Action: ddl.SetOptions},
		"ENABLE ROW LEVEL SECURITY":                  {Action: "enablerowsecurity"},
	}
	for sub, want := range tests {
		t.Run(sub, func(t *testing.T) {
			s := one(t, "ALTER TABLE ONLY t "+sub)
			if diff := cmp.Diff([]ddl.Command{want}, s.Commands); diff != "" || s.Kind != ddl.AlterTable {
				t.Errorf("%s (-want +got):\n%s", sub, diff)
			}
		})
	}
}

func TestStatementsKnowTheirPlaceAndHideConstants(t *testing.T) {
	const script = "-- squawk-ignore x\nBEGIN;\n\\set a b\nALTER ROLE r PASSWORD 'secret';\nCREATE\nTABLE t (a int);\n"
	statements, err := ddl.Parse(script)
	if err != nil || len(statements) != 3 {
		t.Fatalf("Parse = %d statements, %v; want 3", len(statements), err)
	}
	for i, line := range []int{2, 4, 5} {
		if statements[i].Line != line {
			t.Errorf("statement %d is in line %d; want %d", i, statements[i].Line, line)
		}
	}
	if statements[1].Text != "ALTER ROLE r PASSWORD $1" || !strings.Contains(script[statements[1].Offset:statements[1].End], "secret") {
		t.Errorf("statement = %+v; want its constant hidden, and its place", statements[1])
	}
	if len(statements[0].Comments) != 1 {
		t.Errorf("comments = %q; want the one in front", statements[0].Comments)
	}
}
