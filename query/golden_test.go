package query_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

var update = flag.Bool("update", false, "write the golden files anew")

// known are the partitions that testdata/families.sql speaks of.
var known = query.Options{Partitions: knownPartitions(), Accepted: true}

func knownPartitions() map[string]string {
	m := map[string]string{"ci_builds": "p_ci_builds", "public.ci_builds": "public.p_ci_builds"}
	for n := 100; n < 110; n++ {
		for _, table := range []string{"ci_builds", "ci_pipelines", "ci_job_artifacts"} {
			m[fmt.Sprintf("%s_%d", table, n)] = "p_" + table
			m[fmt.Sprintf("gitlab_partitions_dynamic.%s_%d", table, n)] = "public.p_" + table
		}
	}
	return m
}

// family is one family of testdata/families.sql.
type family struct {
	name  string
	texts []string
}

func families(t *testing.T) []family {
	t.Helper()
	script, err := os.ReadFile("testdata/families.sql")
	if err != nil {
		t.Fatal(err)
	}
	var out []family
	for block := range strings.SplitSeq(string(script), "-- family: ") {
		name, body, ok := strings.Cut(block, "\n")
		if !ok || strings.HasPrefix(block, "-- ") {
			continue
		}
		parts := strings.Split(strings.TrimSpace(body), ";\n")
		parts[len(parts)-1] = strings.TrimSuffix(parts[len(parts)-1], ";")
		out = append(out, family{name, parts})
	}
	return out
}

// TestFingerprintsAreGolden holds every text's fingerprint and normal form
// against testdata/fingerprints.golden. A difference means that the history of
// every installation would be relabelled: raise query.Algorithm with it.
func TestFingerprintsAreGolden(t *testing.T) {
	var b strings.Builder
	texts := 0
	for _, f := range families(t) {
		fmt.Fprintf(&b, "# %s\n", f.name)
		for _, text := range f.texts {
			q := query.Describe(text, known)
			fmt.Fprintf(&b, "%s %s %s %s\n", q.Fingerprint, q.Method, q.Verb, q.Text)
			texts++
		}
	}
	if texts < 200 {
		t.Errorf("%d golden fingerprints; want 200 or more", texts)
	}
	const path = "testdata/fingerprints.golden"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("fingerprints differ from %s (-want +got):\n%s", path, diff)
	}
}

func TestTextsOfAFamilyShareAFingerprintAndFamiliesDoNot(t *testing.T) {
	owner := map[pgvigil.Fingerprint]string{}
	for _, f := range families(t) {
		first := query.Describe(f.texts[0], known)
		for _, text := range f.texts[1:] {
			if q := query.Describe(text, known); q.Fingerprint != first.Fingerprint {
				t.Errorf("family %q: fingerprint of\n  %s\nis %s (%s); want %s (%s) as of\n  %s", f.name, text, q.Fingerprint, q.Method, first.Fingerprint, first.Method, f.texts[0])
			}
		}
		if other := owner[first.Fingerprint]; other != "" {
			t.Errorf("families %q and %q share the fingerprint %s", f.name, other, first.Fingerprint)
		}
		owner[first.Fingerprint] = f.name
	}
	t.Logf("%d families", len(owner))
}

func TestNormalFormIsItsOwnNormalForm(t *testing.T) {
	for _, f := range families(t) {
		for _, text := range f.texts {
			once := query.Describe(text, known)
			twice := query.Describe(once.Text, known)
			if twice.Fingerprint != once.Fingerprint || twice.Text != once.Text || twice.Method != once.Method {
				t.Errorf("Describe(%q) = %s %s %q; want %s %s %q as of %q", once.Text, twice.Fingerprint, twice.Method, twice.Text, once.Fingerprint, once.Method, once.Text, text)
			}
		}
	}
}
