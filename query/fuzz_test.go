package query_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// seed gives a fuzz test all texts of the other tests.
func seed(f *testing.F) {
	for _, text := range planted {
		f.Add(text)
	}
	for _, text := range shapes {
		f.Add(text)
	}
	for _, chain := range chains {
		f.Add(chain(200))
	}
	f.Add(queuePick)
	f.Add("\\set x 1\nCOPY t FROM stdin;\n1\t2\n\\.\nSELECT $1 \\gset\n")
}

func FuzzDescribe(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		q := query.Describe(text, known)
		if !utf8.ValidString(q.Text) || strings.ContainsAny(q.Text, "\x00\x1b\x07") {
			t.Errorf("text of %q = %q; want clean UTF-8", text, q.Text)
		}
		if q.Method != pgvigil.ByParse || q.Truncated {
			return
		}
		if again := query.Describe(q.Text, known); again.Fingerprint != q.Fingerprint {
			t.Errorf("fingerprint of %q = %s (%s); want %s as of %q", q.Text, again.Fingerprint, again.Method, q.Fingerprint, text)
		}
	})
}

func FuzzSplit(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, script string) {
		parts, _ := query.Split(script)
		end := 0
		for _, p := range parts {
			if p.Offset < end || p.End < p.Offset || p.End > len(script) {
				t.Fatalf("Split(%q): part %+v overlaps or leaves the script", script, p)
			}
			if p.Note == "" && !strings.HasPrefix(script[p.Offset:], p.Text) {
				t.Errorf("Split(%q): part %+v is not what stands there", script, p)
			}
			if want := 1 + strings.Count(script[:p.Offset], "\n"); p.Line != want {
				t.Errorf("Split(%q): part %+v; want line %d", script, p, want)
			}
			end = p.End
		}
	})
}

func FuzzTags(f *testing.F) {
	seed(f)
	f.Add("/*application:web,endpoint_id:Projects::BlobController#show*/")
	f.Add("/*route='%2Fjobs%2F%3Aid',framework='rails'*/")
	f.Fuzz(func(t *testing.T, text string) {
		tags := query.Tags(text)
		if len(tags) > 16 {
			t.Errorf("Tags(%q) = %d tags; want 16 at most", text, len(tags))
		}
		for k, v := range tags {
			if k == "" || len(k) > 64 || len(v) > 128 || strings.ContainsAny(k+v, "<>\"'\\\x00\n") && !strings.ContainsAny(v, "<>") {
				t.Errorf("Tags(%q): %q = %q; want short, plain words", text, k, v)
			}
		}
	})
}
