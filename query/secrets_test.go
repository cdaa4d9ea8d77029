package query_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil/query"
	"github.com/pgvigil/pgvigil/query/ddl"
)

// secret is planted into texts; no function may show it, nor any part of it
// that is longer than five bytes.
const secret = "hunter2Zq9"

// planted are statements that hold secret in all the places where SQL lets one
// put a constant.
var planted = map[string]string{
	"password of a role":          `ALTER ROLE ci PASSWORD 'hunter2Zq9'`,
	"encrypted password":          `CREATE ROLE ci LOGIN ENCRYPTED PASSWORD 'hunter2Zq9' VALID UNTIL '2027-01-01'`,
	"password of a user":          `CREATE USER ci WITH PASSWORD 'hunter2Zq9'`,
	"escape string":               `ALTER USER ci PASSWORD E'x\'hunter2Zq9'`,
	"unicode string":              `ALTER USER ci PASSWORD U&'hunter2Zq9!0061' UESCAPE '!'`,
	"continued string":            "ALTER USER ci PASSWORD 'a'\n'hunter2Zq9'",
	"dollar quotes":               `ALTER USER ci PASSWORD $q$hunter2Zq9$q$`,
	"user mapping":                `CREATE USER MAPPING FOR ci SERVER s OPTIONS (user 'a', password 'hunter2Zq9')`,
	"altered user mapping":        `ALTER USER MAPPING FOR ci SERVER s OPTIONS (SET password 'hunter2Zq9')`,
	"foreign server":              `CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', passfile 'hunter2Zq9')`,
	"subscription":                `CREATE SUBSCRIPTION s CONNECTION 'host=a password=hunter2Zq9' PUBLICATION p`,
	"altered subscription":        `ALTER SUBSCRIPTION s CONNECTION 'host=a password=hunter2Zq9'`,
	"cursor":                      `DECLARE c CURSOR FOR SELECT * FROM u WHERE token = 'hunter2Zq9'`,
	"copy of a query":             `COPY (SELECT * FROM u WHERE token = 'hunter2Zq9') TO STDOUT`,
	"copy through a program":      `COPY u FROM PROGRAM 'curl -u ci:hunter2Zq9 http://a'`,
	"table of a query":            `CREATE TABLE x AS SELECT 'hunter2Zq9' AS s FROM u`,
	"materialized view":           `CREATE MATERIALIZED VIEW v AS SELECT * FROM u WHERE s = 'hunter2Zq9'`,
	"block":                       `DO $$ BEGIN PERFORM f('hunter2Zq9'); END $$`,
	"block with a language":       `DO LANGUAGE plpgsql 'BEGIN PERFORM f(hunter2Zq9); END'`,
	"function":                    `CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $f$ SELECT 'hunter2Zq9' $f$`,
	"atomic function":             `CREATE FUNCTION f() RETURNS text BEGIN ATOMIC SELECT 'hunter2Zq9'; END`,
	"explain":                     `EXPLAIN ANALYZE SELECT * FROM u WHERE token = 'hunter2Zq9'`,
	"prepare":                     `PREPARE p AS SELECT * FROM u WHERE token = 'hunter2Zq9'`,
	"execute":                     `EXECUTE p('hunter2Zq9')`,
	"setting":                     `SET app.token = 'hunter2Zq9'`,
	"bare setting":                `SET app.token TO hunter2Zq9`,
	"quoted setting":              `SET app.token TO "hunter2Zq9"`,
	"setting of a role":           `ALTER ROLE ci SET app.token = 'hunter2Zq9'`,
	"system setting":              `ALTER SYSTEM SET primary_conninfo = 'password=hunter2Zq9'`,
	"set_config":                  `SELECT set_config('app.token', 'hunter2Zq9', true)`,
	"comment on":                  `COMMENT ON TABLE u IS 'hunter2Zq9'`,
	"security label":              `SECURITY LABEL ON TABLE u IS 'hunter2Zq9'`,
	"dblink":                      `SELECT * FROM dblink('dbname=a password=hunter2Zq9', 'SELECT 1') AS t(a int)`,
	"notify":                      `NOTIFY c, 'hunter2Zq9'`,
	"comment":                     `SELECT 1 /* password: hunter2Zq9 */`,
	"line comment":                "SELECT 1 -- hunter2Zq9\n FROM u",
	"tag":                         `SELECT 1 /*token='hunter2Zq9'*/`,
	"tag without a telling key":   `/*application:web,note:hunter2Zq9xLk2*/ SELECT 1`,
	"condition":                   `SELECT * FROM u WHERE name = 'hunter2Zq9'`,
	"in list":                     `SELECT * FROM u WHERE name IN ('a', 'hunter2Zq9')`,
	"like":                        `SELECT * FROM u WHERE name LIKE '%hunter2Zq9%'`,
	"array":                       `SELECT * FROM u WHERE names @> ARRAY['hunter2Zq9']`,
	"json":                        `UPDATE u SET data = '{"password": "hunter2Zq9"}' WHERE id = 1`,
	"insert":                      `INSERT INTO u (a, b) VALUES (1, 'hunter2Zq9'), (2, 'hunter2Zq9')`,
	"default":                     `ALTER TABLE u ADD COLUMN s text DEFAULT 'hunter2Zq9'`,
	"check":                       `ALTER TABLE u ADD CHECK (s <> 'hunter2Zq9')`,
	"enum":                        `CREATE TYPE e AS ENUM ('hunter2Zq9')`,
	"partition bound":             `CREATE TABLE p PARTITION OF q FOR VALUES IN ('hunter2Zq9')`,
	"trigger argument":            `CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f('hunter2Zq9')`,
	"policy":                      `CREATE POLICY p ON u USING (s = 'hunter2Zq9')`,
	"two-phase":                   `PREPARE TRANSACTION 'hunter2Zq9'`,
	"typed string":                `SELECT json '{"a":"hunter2Zq9"}'`,
	"call":                        `CALL f('hunter2Zq9')`,
	"two statements":              `SELECT 1; ALTER ROLE ci PASSWORD 'hunter2Zq9'; SELECT 2`,
	"does not parse":              `SELECT FROM WHERE 'hunter2Zq9' AND AND`,
	"grammar of 17":               `MERGE INTO u USING v ON u.a = 'hunter2Zq9' WHEN MATCHED THEN DELETE RETURNING u.a`,
	"password without quotes":     `ALTER ROLE ci PASSWORD hunter2Zq9`,
	"setting that does not parse": `SET app.token = 1 hunter2Zq9 = 2`,
	"cut in a string":             `SELECT * FROM u WHERE a = 'b' AND token = 'hunter2Zq9`,
	"cut in dollar quotes":        `DO $$ BEGIN PERFORM f('hunter2Zq9')`,
	"cut in a comment":            `SELECT * FROM u /* hunter2Zq9`,
	"cut in an identifier":        `SELECT * FROM u WHERE a = 'b' AND "hunter2Zq9`,
	"backslash as escape":         `SELECT * FROM u WHERE a = 'x\' hunter2Zq9 \' y'`,
	"unicode and control":         "SELECT '\x00\xff\u202ehunter2Zq9' FROM \x01u",
}

func TestNothingShowsAPlantedSecret(t *testing.T) {
	for name, text := range planted {
		t.Run(name, func(t *testing.T) {
			outputs := map[string]any{"Describe": query.Describe(text, query.Options{}), "Tags": query.Tags(text)}
			shape, err := query.Analyze(text, query.Options{})
			outputs["Analyze"], outputs["Analyze's error"] = shape, fmt.Sprint(err)
			statements, err := ddl.Parse(text)
			for i := range statements {
				statements[i].Comments = nil // the script's own, as written
			}
			outputs["ddl.Parse"], outputs["ddl.Parse's error"] = statements, fmt.Sprint(err)
			_, err = query.Split(text)
			outputs["Split's error"] = fmt.Sprint(err)
			for where, out := range outputs {
				if s := show(t, out); leaks(s) {
					t.Errorf("%s of %s shows the secret: %s", where, text, s)
				}
			}
		})
	}
	if len(planted) < 60 {
		t.Errorf("%d secrets are planted; want 60 or more", len(planted))
	}
}

func show(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + fmt.Sprintf("%+v", v)
}

// leaks says whether six bytes of the secret in a row stand in s.
func leaks(s string) bool {
	s = strings.ToLower(s)
	for i := 0; i+6 <= len(secret); i++ {
		if strings.Contains(s, strings.ToLower(secret[i:i+6])) {
			return true
		}
	}
	return false
}

func TestHarmlessConstantsStay(t *testing.T) {
	tests := map[string]struct {
		table, text string
		want        []string
	}{
		"a word of an enumeration": {"jobs", `SELECT 1 FROM jobs WHERE status = 'running'`, []string{"running"}},
		"a small number":           {"jobs", `SELECT 1 FROM jobs WHERE partition_id = 102`, []string{"102"}},
		"a boolean":                {"jobs", `SELECT 1 FROM jobs WHERE protected = FALSE`, []string{"false"}},
		"a large number":           {"jobs", `SELECT 1 FROM jobs WHERE project_id = 12345678`, nil},
		"a word with digits":       {"jobs", `SELECT 1 FROM jobs WHERE status = 'abc123'`, nil},
		"a word in a secret place": {"users", `SELECT 1 FROM users WHERE encrypted_password = 'sesame'`, nil},
		"a pin":                    {"users", `SELECT 1 FROM users WHERE card_pin = 1234`, nil},
		"an address":               {"users", `SELECT 1 FROM users WHERE name = 'a@b.org'`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range conditions(analyze(t, test.text, query.Options{}), test.table) {
				got = append(got, c.Constants...)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("constants of %s (-want +got):\n%s", test.text, diff)
			}
		})
	}
}
