package query_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// literals draws constants of every kind, and parameters.
var literals = rapid.OneOf(
	rapid.Map(rapid.IntRange(-1_000_000, 1_000_000), func(i int) string { return fmt.Sprint(i) }),
	rapid.Map(rapid.StringMatching(`[a-z '_;$-]{0,12}`), func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }),
	rapid.Map(rapid.IntRange(1, 40), func(i int) string { return fmt.Sprintf("$%d", i) }),
	rapid.SampledFrom([]string{"NULL", "TRUE", "1.5e3", "0x1F", "E'a\\'b'", "$$x$$", "$q$ ; -- $q$", "B'01'", "N'x'", "1_000"}),
)

// shapes are statements with holes for constants (%v) and lists of them (%l).
var shapes = []string{
	"SELECT * FROM a WHERE b = %v AND c > %v",
	"SELECT a.x FROM t a JOIN u b ON b.id = a.id AND b.k = %v WHERE a.s IN (%l) ORDER BY a.x LIMIT 10",
	"UPDATE t SET a = %v, b = %v WHERE id = %v",
	"DELETE FROM t WHERE id IN (%l) OR k = ANY(ARRAY[%l])",
	"INSERT INTO t (a, b) VALUES (%v, %v) ON CONFLICT (a) DO UPDATE SET b = %v",
	"SELECT CASE WHEN a = %v THEN %v ELSE %v END FROM t WHERE f(%v, a) BETWEEN %v AND %v",
	"WITH w AS (SELECT id FROM t WHERE a = %v) SELECT count(*) FROM w WHERE id NOT IN (%l)",
	"SELECT a FROM t WHERE b = %v RETURNING WITH (OLD AS o) o.a", // no grammar takes it
}

// fill puts constants into the holes of a shape.
func fill(t *rapid.T, shape string) string {
	for strings.Contains(shape, "%v") {
		shape = strings.Replace(shape, "%v", literals.Draw(t, "constant"), 1)
	}
	for strings.Contains(shape, "%l") {
		list := rapid.SliceOfN(literals, 1, 40).Draw(t, "list")
		shape = strings.Replace(shape, "%l", strings.Join(list, ", "), 1)
	}
	return shape
}

func TestConstantsAndListLengthsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SampledFrom(shapes).Draw(t, "shape")
		one, two := fill(t, shape), fill(t, shape)
		a, b := query.Describe(one, query.Options{}), query.Describe(two, query.Options{})
		if a.Fingerprint != b.Fingerprint {
			t.Errorf("fingerprint of %q = %s (%s), of %q = %s (%s); want the same", one, a.Fingerprint, a.Method, two, b.Fingerprint, b.Method)
		}
		if a.Text != b.Text && !strings.Contains(one+two, "$") {
			t.Errorf("normal form of %q = %q, of %q = %q; want the same", one, a.Text, two, b.Text)
		}
	})
}

func TestSpacesAndCommentsDoNotMatter(t *testing.T) {
	space := rapid.SampledFrom([]string{" ", "\n", "\t ", " /* ; ' */ ", " -- x\n", " /* a /* b */ */"})
	rapid.Check(t, func(t *rapid.T) {
		plain := strings.NewReplacer("%v", "1", "%l", "1, 2").Replace(rapid.SampledFrom(shapes).Draw(t, "shape"))
		var spaced strings.Builder
		for word := range strings.FieldsSeq(plain) {
			spaced.WriteString(word)
			spaced.WriteString(space.Draw(t, "space"))
		}
		a, b := query.Describe(plain, query.Options{}), query.Describe(spaced.String(), query.Options{})
		if a.Fingerprint != b.Fingerprint || a.Text != b.Text {
			t.Errorf("Describe(%q) = %s %q; want %s %q", spaced.String(), b.Fingerprint, b.Text, a.Fingerprint, a.Text)
		}
	})
}

func TestQueryIDsMakeFingerprintsOfTheirOwn(t *testing.T) {
	a, b := query.ByQueryID(1), query.ByQueryID(-1)
	if a.Fingerprint == 0 || a.Fingerprint == b.Fingerprint || a.Method != pgvigil.ByQueryID {
		t.Errorf("ByQueryID(1), ByQueryID(-1) = %+v, %+v; want two fingerprints", a, b)
	}
	for _, text := range []string{"", "  ", ";", "-- nothing", "/* a:b */", "<insufficient privilege>"} {
		if q := query.Describe(text, query.Options{}); q.Method != pgvigil.ByQueryID || q.Fingerprint != 0 {
			t.Errorf("Describe(%q) = %+v; want no fingerprint", text, q)
		}
	}
}

func TestLongTextIsCutBetweenCharacters(t *testing.T) {
	q := query.Describe(`SELECT "ééééééééééééééé"`, query.Options{MaxText: 13})
	if q.Text != `SELECT "éé` && q.Text != `SELECT "ééé` || !q.Truncated {
		t.Errorf("text = %q, truncated %v; want a whole number of characters, truncated", q.Text, q.Truncated)
	}
}
