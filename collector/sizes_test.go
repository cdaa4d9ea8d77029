package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

func TestWhichFilesAreMeasured(t *testing.T) {
	known := func(pass int64, writes float64, pages int64) length {
		return length{bytes: 8192, pass: pass, writes: writes, pages: pages}
	}
	tests := map[string]struct {
		known map[pgvigil.OID]length
		files []file
		want  []pgvigil.OID
	}{
		"what was never measured, the largest first": {
			nil, []file{{1, 5, 0}, {2, 900, 0}, {3, 0, 0}}, []pgvigil.OID{2, 1, 3},
		},
		"of empty ones, that which was written": {
			nil, []file{{1, 0, 0}, {2, 0, 70}}, []pgvigil.OID{2, 1},
		},
		"nothing that is as it was": {
			map[pgvigil.OID]length{1: known(3, 10, 5)}, []file{{1, 5, 10}}, nil,
		},
		"what was written since": {
			map[pgvigil.OID]length{1: known(3, 10, 5), 2: known(3, 10, 5)}, []file{{1, 5, 11}, {2, 5, 10}}, []pgvigil.OID{1},
		},
		"what was truncated, vacuumed in full or rebuilt": {
			map[pgvigil.OID]length{1: known(3, 10, 5)}, []file{{1, 0, 10}}, []pgvigil.OID{1},
		},
		"what was zeroed by a crash": {
			map[pgvigil.OID]length{1: known(3, 10, 5)}, []file{{1, 5, 0}}, []pgvigil.OID{1},
		},
		"the new before the old, of the old those that wait longest": {
			map[pgvigil.OID]length{1: known(3, 0, 5), 2: known(2, 0, 5)}, []file{{1, 5, 1}, {2, 5, 1}, {3, 5, 1}}, []pgvigil.OID{3, 2, 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := lengths{visits: 4, of: tt.known}
			var got []pgvigil.OID
			for _, f := range l.due(tt.files) {
				got = append(got, f.id)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryFileHasItsTurn measures three times as many as one pass may.
func TestEveryFileHasItsTurn(t *testing.T) {
	l := lengths{of: map[pgvigil.OID]length{}}
	var files []file
	for id := range pgvigil.OID(3 * sizesPerPass) {
		files = append(files, file{id: id + 1, pages: 1})
	}
	for range 3 {
		l.visits++
		for i := range files {
			files[i].writes++ // all are written all the time
		}
		due := l.due(files)
		if len(due) != sizesPerPass {
			t.Fatalf("%d files are measured in a pass; want %d", len(due), sizesPerPass)
		}
		for _, f := range due {
			l.of[f.id] = length{pass: l.visits, writes: f.writes, pages: f.pages}
		}
	}
	if len(l.of) != len(files) {
		t.Errorf("after three passes %d of %d files were measured; want all", len(l.of), len(files))
	}
	l.forget(files[:1])
	if len(l.of) != 1 {
		t.Errorf("%d lengths are kept of one file; want 1", len(l.of))
	}
}
