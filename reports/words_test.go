package reports

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil"
)

func TestShortWindowsWriteTimesWithoutTheDay(t *testing.T) {
	noon := monday.Add(12 * time.Hour)
	short, long := clockOf(pgvigil.Window{From: noon, To: noon.Add(3 * time.Minute)}), clockOf(pgvigil.Window{From: monday, To: sunday})
	tests := map[string]struct{ got, want string }{
		"in a window of minutes":   {short.at(noon.Add(65 * time.Second)).Text, "12:01:05"},
		"the day before it":        {short.at(noon.Add(-day)).Text, "Sun 11 Jan 12:00:00"},
		"in a window of days":      {long.at(noon).Text, "Mon 12 Jan 12:00"},
		"never":                    {short.at(time.Time{}).Text, "unknown"},
		"a window names its dates": {short.window(pgvigil.Window{From: noon, To: noon.Add(time.Minute)}), "Mon 12 Jan 12:00:00 to Mon 12 Jan 12:01:00 2026 UTC"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.got != test.want {
				t.Errorf("got %q; want %q", test.got, test.want)
			}
		})
	}
}

func TestCausesAreSaidInWords(t *testing.T) {
	dropped := pgvigil.Event{Kind: pgvigil.EventIndexDropped, Object: "public.i"}
	changed := pgvigil.Event{Kind: pgvigil.EventSettingChanged, Object: "work_mem", Before: "64MB", After: "4MB"}
	tests := map[string]struct {
		verdict pgvigil.Regression
		want    string
	}{
		"with its event":       {pgvigil.Regression{Cause: pgvigil.CausePlan, CauseDetail: pgvigil.DetailIndexDropped, Events: []pgvigil.Event{changed, dropped}}, "Most likely because an index was dropped (public.i)."},
		"with a change":        {pgvigil.Regression{Cause: pgvigil.CauseSpill, CauseDetail: pgvigil.DetailSetting, Events: []pgvigil.Event{changed}}, "Most likely because a setting was changed (work_mem, 64MB \u2192 4MB)."},
		"coarse":               {pgvigil.Regression{Cause: pgvigil.CauseIO}, "Most likely because its blocks come from disk."},
		"not known":            {pgvigil.Regression{Cause: pgvigil.CauseUnknown}, "The cause is not known."},
		"of an incident":       {pgvigil.Regression{Kind: pgvigil.KindIncident, Cause: pgvigil.CauseContention, CauseDetail: pgvigil.DetailLockQueue}, "Most likely cause: lock queue."},
		"a detail of tomorrow": {pgvigil.Regression{Cause: pgvigil.CausePlan, CauseDetail: "gremlins"}, "Most likely because it does more work for each call."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := causeSentence(test.verdict); got != test.want {
				t.Errorf("causeSentence = %q; want %q", got, test.want)
			}
		})
	}
}

// TestFactorsAgree guards that a title says the factor of the numbers under it.
func TestFactorsAgree(t *testing.T) {
	a := pgvigil.Alert{State: pgvigil.Open, Verdict: pgvigil.Regression{
		Kind: pgvigil.KindRegression, Factor: 20, Before: pgvigil.Profile{MS: 0.05}, After: pgvigil.Profile{MS: 17},
	}}
	if got := slowerWords(a); got != "takes 340\u00d7 as long" {
		t.Errorf("slowerWords = %q", got)
	}
}

func TestLongPlansOfActionAreFolded(t *testing.T) {
	m := story()
	p := &m.proposals[1]
	for range 15 {
		p.Steps = append(p.Steps, pgvigil.Step{SQL: "ALTER INDEX a ATTACH PARTITION b", Note: "a moment"})
	}
	r, err := Gather(t.Context(), m, storyRange())
	if err != nil {
		t.Fatal(err)
	}
	card := find(render(t, r, ""), "section#proposals article.card")[0]
	if got := texts(card, "summary")[0]; got != "14 more statements" {
		t.Errorf("the fold says %q", got)
	}
	if got := attribute(find(card, "details li")[0], "value"); got != "4" {
		t.Errorf("it goes on at %q; want 4", got)
	}
	if got := text(find(card, "details li")[0]); got != "ALTER INDEX a ATTACH PARTITION b; A moment." {
		t.Errorf("a step reads %q", got)
	}
}

func TestAnalyzesDoNotDrownTheTimeline(t *testing.T) {
	m := story()
	for range 250 {
		m.events = append(m.events, pgvigil.Event{At: monday, Kind: pgvigil.EventAnalyzed, Object: "public.t"})
	}
	r, err := Gather(t.Context(), m, storyRange())
	if err != nil {
		t.Fatal(err)
	}
	doc := render(t, r, "")
	if got := len(find(doc, "table.events tbody tr")); got != 6 {
		t.Errorf("%d events are listed; want 6", got)
	}
	if diff := cmp.Diff([]string{"250 ANALYZEs of tables are not listed."}, texts(doc, "section#timeline p.source")); diff != "" {
		t.Error(diff)
	}
}

func TestThousandsOfNewTablesDoNotDrownTheTimeline(t *testing.T) {
	m := story()
	for i := range 3000 {
		m.events = append(m.events, pgvigil.Event{DBID: ciDB, At: swollen, Kind: pgvigil.EventTableCreated, Object: fmt.Sprintf("public.t%d", i)})
	}
	r, err := Gather(t.Context(), m, storyRange())
	if err != nil {
		t.Fatal(err)
	}
	rows := texts(render(t, r, ""), "table.events tbody tr")
	if len(rows) != 7 || !strings.Contains(rows[6], "public.t0 and 2,999 more") {
		t.Errorf("events = %q; want 7, the last for all new tables", rows)
	}
}

func TestPlaceNamesTheServerWhereThereAreSeveral(t *testing.T) {
	one := layout{Report: &Report{Servers: make([]Server, 1)}}
	two := layout{Report: &Report{Servers: make([]Server, 2)}}
	got := strings.Join([]string{one.place("a", "x"), one.place("a", ""), two.place("a", "x")}, "|")
	if got != "x|a|a \u00b7 x" {
		t.Errorf("places = %q", got)
	}
}

func TestUnknownCoverageIsTheWorst(t *testing.T) {
	server := func(share float64) Server {
		return Server{Info: pgvigil.ServerInfo{LastSeen: sunday}, Coverage: pgvigil.Coverage{Passes: 5, Time: share}}
	}
	nan := math.NaN()
	tests := map[string]struct {
		shares         []float64
		sentence, tile string
	}{
		"unknown first":  {[]float64{nan, 0.99}, "not known", unknown},
		"unknown last":   {[]float64{0.2, nan}, "not known", unknown},
		"unknown amid":   {[]float64{0.2, nan, 0.1}, "not known", unknown},
		"all known":      {[]float64{0.99, 0.3, 0.6}, "30.0", "30.0" + nb + "%"},
		"one known well": {[]float64{1}, "nearly all", "100" + nb + "%"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := layout{Report: &Report{}}
			for _, share := range tt.shares {
				l.Servers = append(l.Servers, server(share))
			}
			if got := l.trustSentence(); !strings.Contains(got, tt.sentence) {
				t.Errorf("sentence %q; want %q in it", got, tt.sentence)
			}
			if got := l.trustTile().Value; got != tt.tile {
				t.Errorf("tile %q; want %q", got, tt.tile)
			}
		})
	}
}

func TestCoverageTakesThePassesIntoAccount(t *testing.T) {
	tests := map[string]struct {
		coverage pgvigil.Coverage
		words    []string
		not      string
		tile     tile
	}{
		"all there": {
			pgvigil.Coverage{Time: 1, Passes: 1008, Expected: 1008},
			[]string{"nearly all of the server's work: 100"},
			"passes",
			tile{Value: "100" + nb + "%", Note: "of the time, in 1,008 passes", Tone: toneGood},
		},
		"a few missing": {
			pgvigil.Coverage{Time: 0.962, Passes: 984, Expected: 1008},
			[]string{"nearly all", "Of the passes, 97.6"},
			"But",
			tile{Value: "96.2" + nb + "%", Note: "of the time, in 984 of 1,008 passes", Tone: toneGood},
		},
		"a third missing": {
			pgvigil.Coverage{Time: 1, Passes: 672, Expected: 1008},
			[]string{"But only 66.7", "(672 of 1,008 passes)", "short troubles may not show"},
			"",
			tile{Value: "66.7" + nb + "%", Note: "of the passes: 672 of 1,008 passes", Tone: toneWarn},
		},
		"most missing": {
			pgvigil.Coverage{Time: 1, Passes: 101, Expected: 1008},
			[]string{"But only 10.0", "a few long intervals"},
			"",
			tile{Value: "10.0" + nb + "%", Note: "of the passes: 101 of 1,008 passes", Tone: toneBad},
		},
		"time unknown": {
			pgvigil.Coverage{Time: math.NaN(), Passes: 101, Expected: 1008},
			[]string{"is not known", "But only 10.0"},
			"",
			tile{Value: unknown, Note: "of the time, in 101 of 1,008 passes", Tone: toneMute},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := layout{Report: &Report{Window: pgvigil.Window{From: monday, To: sunday}, Servers: []Server{{
				Info: pgvigil.ServerInfo{FirstSeen: monday, LastSeen: sunday}, Coverage: tt.coverage,
			}}}}
			got := l.trustSentence()
			for _, want := range tt.words {
				if !strings.Contains(got, want) {
					t.Errorf("sentence %q; want %q in it", got, want)
				}
			}
			if tt.not != "" && strings.Contains(got, tt.not) {
				t.Errorf("sentence %q; want no %q in it", got, tt.not)
			}
			tt.tile.Label, tt.tile.Link = "Coverage", "#trust"
			if diff := cmp.Diff(tt.tile, l.trustTile()); diff != "" {
				t.Errorf("the tile differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResetsAreListedWithTheirProof(t *testing.T) {
	m := story()
	m.resets = []pgvigil.Incarnation{
		{Kind: pgvigil.OfStatements, Since: monday.Add(-30 * day), Proof: pgvigil.FirstRead, Seen: monday},
		{Kind: pgvigil.OfStatements, Since: dropped, Proof: "stats_reset moved", Seen: dropped.Add(time.Minute)},
	}
	r, err := Gather(t.Context(), m, storyRange())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Counters of statements: anew since Wed 14 Jan 14:05 UTC, seen at Wed 14 Jan 14:06 UTC (stats_reset moved)."}
	if diff := cmp.Diff(want, texts(render(t, r, ""), "section#trust ul.resets li")); diff != "" {
		t.Error(diff)
	}
}

func TestAShortWatchIsSaid(t *testing.T) {
	l := layout{Report: &Report{Window: pgvigil.Window{From: monday, To: sunday}, Servers: []Server{{
		Info: pgvigil.ServerInfo{FirstSeen: sunday.Add(-12 * time.Hour), LastSeen: sunday}, Coverage: pgvigil.Coverage{Time: 1, Passes: 72, Expected: 72},
	}}}}
	if got := l.trustTile(); got.Note != "of the time, in 72 passes, over 12"+nb+"h only" || got.Tone != toneWarn {
		t.Errorf("tile %+v; want the short watch in its note", got)
	}
	if got, want := l.trustSentence(), "The server was watched for 12"+nb+"h of the 7"+nb+"d."; !strings.HasSuffix(got, want) {
		t.Errorf("sentence %q; want %q at its end", got, want)
	}
}
