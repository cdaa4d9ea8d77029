package query_test

import (
	"testing"

	"github.com/pgvigil/pgvigil/query"
)

func TestMaskKeepsTheServersWordsAndNoValue(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"duplicate key":       {`duplicate key value violates unique constraint "users_pkey"`, `duplicate key value violates unique constraint "users_pkey"`},
		"detail of a key":     {`Key (token, id)=(hunter2 (x), 1) already exists.`, `Key (token, id)=($1) already exists.`},
		"failing row":         {`Failing row contains (1, hunter2Zq9, null).`, `Failing row contains ($1).`},
		"invalid input":       {`invalid input syntax for type integer: "hunter2Zq9"`, `invalid input syntax for type integer: $1`},
		"near":                {`syntax error at or near "hunter2Zq9" at character 15`, `syntax error at or near $1 at character 15`},
		"invalid setting":     {`invalid value for parameter "work_mem": "hunter2Zq9"`, `invalid value for parameter "work_mem": $1`},
		"a number in quotes":  {`value "4111111111111111" is out of range for type integer`, `value $1 is out of range for type integer`},
		"a qualified name":    {`relation "public.jobs_102" does not exist`, `relation "public.jobs_102" does not exist`},
		"denied":              {`permission denied for table ci_builds`, `permission denied for table ci_builds`},
		"statement":           {"duration: 12.345 ms  statement: SELECT * FROM u WHERE a = 'hunter2Zq9'", "duration: 12.345 ms  statement: SELECT * FROM u WHERE a = $1"},
		"named execute":       {"duration: 1.2 ms  execute p1: SELECT 1 FROM u WHERE a = $1", "duration: 1.2 ms  execute $1: SELECT $1 FROM u WHERE a = $2"},
		"parameters":          {`parameters: $1 = 'hunter2Zq9', $2 = NULL`, `parameters: $1 = $2, $3 = NULL`},
		"unparsable":          {`statement: SELECT 'it's hunter2Zq9's secret'`, `statement: select (unreadable text dc818f5e964d1cae)`},
		"raised by a user":    {`token hunter2Zq9 of opensesame is bad`, `token $1 of $2 is bad`},
		"wait":                {`process 4242 still waiting for ShareLock on transaction 773 after 1000.123 ms`, `process 4242 still waiting for ShareLock on transaction 773 after 1000.123 ms`},
		"in a function":       {"SQL statement \"UPDATE u SET a = 'hunter2Zq9'\"\nPL/pgSQL function f(integer) line 3 at SQL statement", "SQL statement \"UPDATE u SET a = $1\"\nPL/pgSQL function f(integer) line 3 at SQL statement"},
		"deadlock":            {"Process 1: UPDATE u SET a = 'hunter2'\nProcess 2: DELETE FROM u WHERE a = 'x'", "Process 1: UPDATE u SET a = $1\nProcess 2: DELETE FROM u WHERE a = $1"},
		"conninfo":            {`could not connect: host=db password=hunter2Zq9 user='bob'`, `could not connect: host=db password=$1 user=$2`},
		"address":             {`connection to postgres://bob:hunter2Zq9@db/ci failed`, `connection to postgres:$1:$2 failed`},
		"a secret number":     {`the pin 4711 and the row 4711`, `the pin $1 and the row 4711`},
		"groups of digits":    {`card 4111-1111-1111-1111 or 4111 1111`, `$1 or $2`},
		"a name in wrong use": {`column "hunter2Zq9" does not exist`, `column $1 does not exist`},
		"no end":              {`unterminated quoted string at or near "'hunter2Zq9 and more`, `unterminated quoted string at or near $1`},
		"an apostrophe":       {`a query's index isn't hunter's`, `a query's index isn't $1`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := query.Mask(test.text); got != test.want {
				t.Errorf("Mask(%q) = %q; want %q", test.text, got, test.want)
			}
		})
	}
}

func TestMaskExpressionHidesConstantsAndKeepsTheShape(t *testing.T) {
	tests := map[string]struct{ expr, want string }{
		"filter":            {`((status)::text = 'hunter2'::text)`, `((status)::text = $1::text)`},
		"array":             {`(status = ANY ('{a,b}'::text[]))`, `(status = ANY ($1::text[]))`},
		"numbers":           {`((a > 10) AND (b < '-5'::integer))`, `((a > $1) AND (b < $2::integer))`},
		"parameters":        {`((a = $1) AND (b = $2) AND (c = 'x'))`, `((a = $1) AND (b = $2) AND (c = $3))`},
		"length of a type":  {`((a)::character varying(20) = 'x'::numeric(10,2))`, `((a)::character varying(20) = $1::numeric(10,2))`},
		"argument":          {`(f(a, 17) IS NULL)`, `(f(a, $1) IS NULL)`},
		"subplan":           {`(NOT (hashed SubPlan 1))`, `(NOT (hashed SubPlan 1))`},
		"truth":             {`(deleted = false)`, `(deleted = false)`},
		"sort key":          {`lower(name) DESC NULLS LAST`, `lower(name) DESC NULLS LAST`},
		"no end":            {`(a = 'hunter2`, `(unreadable expression 1f53026c6288bc3b)`},
		"comment":           {`(a = 1 /* hunter2 */)`, `(a = $1 )`},
		"escapes":           {`(a = E'it\'s hunter2')`, `(a = $1)`},
		"an initplan's own": {`(a = $0)`, `(a = $0)`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := query.MaskExpression(test.expr); got != test.want {
				t.Errorf("MaskExpression(%q) = %q; want %q", test.expr, got, test.want)
			}
		})
	}
}
