package wire_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server/wire"
)

func TestSnakeKeepsAcronymsWhole(t *testing.T) {
	tests := map[string]string{
		"ID": "id", "DBID": "dbid", "ExtraMSPerHour": "extra_ms_per_hour", "WALBytes": "wal_bytes",
		"LosesHOT": "loses_hot", "WhatIfCalls": "what_if_calls", "OutsideTx": "outside_tx", "MS": "ms",
	}
	for name, want := range tests {
		if got := wire.Snake(name); got != want {
			t.Errorf("Snake(%q) = %q; want %q", name, got, want)
		}
	}
}

func TestMarshal(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 5, time.FixedZone("CET", 3600))
	tests := map[string]struct {
		v    any
		want string
	}{
		"unknown is null":                     {math.NaN(), `null`},
		"infinities are words":                {[]float64{math.Inf(1), math.Inf(-1), 0.5}, `["Infinity","-Infinity",0.5]`},
		"a named float too":                   {pgvigil.Cost(math.NaN()), `null`},
		"a fingerprint is hexadecimal":        {pgvigil.Fingerprint(0xfff), `"0000000000000fff"`},
		"a system identifier is a string":     {pgvigil.SystemID(math.MaxUint64), `"18446744073709551615"`},
		"times are UTC":                       {noon, `"2026-03-01T11:00:00.000000005Z"`},
		"no time is null":                     {time.Time{}, `null`},
		"no list is an empty one":             {[]string(nil), `[]`},
		"a secret stays one":                  {map[string]pgvigil.Secret{"key": "swordfish"}, `{"key":"REDACTED"}`},
		"a field's tag is its name":           {pgvigil.Warning{Code: "a<b"}, `{"code":"a<b","remedy":"","text":""}`},
		"a nil pointer is null":               {(*pgvigil.Outcome)(nil), `null`},
		"a duration is written with its unit": {90 * time.Second, `"1m30s"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := wire.Marshal(tt.v)
			if err != nil || string(got) != tt.want {
				t.Errorf("Marshal(%v) = %s, %v; want %s", tt.v, got, err, tt.want)
			}
		})
	}
}

func TestUnmarshalSaysWhatIsWrong(t *testing.T) {
	tests := map[string]struct{ json, want string }{
		"not JSON":         {`{`, "read JSON"},
		"two values":       {`{} {}`, "something follows"},
		"a list":           {`[]`, "want an object"},
		"a wrong type":     {`{"target": 5}`, ".target: want a value of kind string"},
		"a bad number":     {`{"verdict": {"factor": "much"}}`, ".verdict.factor: want a number"},
		"a bad time":       {`{"opened": "yesterday"}`, ".opened: want a time"},
		"an unknown field": {`{"verdict": {"fractor": 1}}`, `.verdict."fractor" is not known`},
		"an overflow":      {`{"verdict": {"series": {"dbid": 4294967296}}}`, "kind uint32"},
		"a fraction":       {`{"id": 1.5}`, "kind int64"},
		"deep in a list":   {`{"history": [{"at": 1}]}`, ".history[0].at: want a string"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var a pgvigil.Alert
			err := wire.UnmarshalStrict([]byte(tt.json), &a)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("UnmarshalStrict(%s) = %v; want %q in it", tt.json, err, tt.want)
			}
		})
	}
}

func TestUnmarshalLeavesOutWhatItDoesNotKnow(t *testing.T) {
	var w pgvigil.Warning
	if err := wire.Unmarshal([]byte(`{"code": "x", "new": [1]}`), &w); err != nil || w.Code != "x" {
		t.Errorf("Unmarshal = %+v, %v; want code x", w, err)
	}
}

// everything is one of each kind of field that the API's types have.
type everything struct {
	Alert    pgvigil.Alert
	Proposal pgvigil.Proposal
	Info     pgvigil.ServerInfo
	Check    pgvigil.HistoryCheck
	Floats   [3]float64
	Took     time.Duration
}

func TestWhatIsReadIsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := draw(t)
		b, err := wire.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got everything
		if err := wire.UnmarshalStrict(b, &got); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty(), cmp.Comparer(sameCost)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// sameCost is EquateNaNs for a type of its own.
func sameCost(a, b pgvigil.Cost) bool { return a == b || (a != a && b != b) }

func draw(t *rapid.T) everything {
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1)}))
	text := rapid.String()
	at := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
	})
	labels := rapid.MapOf(text, text)
	warnings := rapid.SliceOf(rapid.Custom(func(t *rapid.T) pgvigil.Warning {
		return pgvigil.Warning{Code: text.Draw(t, "code"), Text: text.Draw(t, "text"), Remedy: text.Draw(t, "remedy")}
	}))
	n := func() float64 { return number.Draw(t, "number") }
	prints := rapid.SliceOf(rapid.Map(rapid.Uint64(), func(u uint64) pgvigil.Fingerprint { return pgvigil.Fingerprint(u) }))
	var outcome *pgvigil.Outcome
	if rapid.Bool().Draw(t, "applied") {
		outcome = &pgvigil.Outcome{AppliedAt: at.Draw(t, "applied"), Queries: []pgvigil.QueryOutcome{{After: pgvigil.Profile{MS: n(), Rows: n()}}}}
	}
	return everything{
		Alert: pgvigil.Alert{
			ID: rapid.Int64().Draw(t, "id"), Target: text.Draw(t, "target"), State: pgvigil.Open,
			Verdict: pgvigil.Regression{
				Series:  pgvigil.SeriesKey{Server: 3, DBID: pgvigil.OID(rapid.Uint32().Draw(t, "oid")), Fingerprint: pgvigil.Fingerprint(rapid.Uint64().Draw(t, "fp"))},
				Queries: prints.Draw(t, "queries"), Onset: at.Draw(t, "onset"), Factor: n(), Before: pgvigil.Profile{MS: n(), HitRatio: n()},
				Causes: []pgvigil.CauseEvidence{{Score: n(), For: rapid.SliceOf(text).Draw(t, "for")}},
				Events: []pgvigil.Event{{At: at.Draw(t, "at"), Since: at.Draw(t, "since"), Kind: pgvigil.EventDeploy}}, Warnings: warnings.Draw(t, "warnings"),
			},
			Query:   pgvigil.Query{Tags: labels.Draw(t, "tags"), Predicates: []pgvigil.Predicate{{Op: "="}}, Truncated: true},
			History: []pgvigil.AlertStep{{At: at.Draw(t, "step"), State: pgvigil.Suspected}},
		},
		Proposal: pgvigil.Proposal{Evidence: pgvigil.Evidence{CostBefore: pgvigil.Cost(n()), WriteOverhead: n(), Size: 5}, Outcome: outcome},
		Info:     pgvigil.ServerInfo{Server: pgvigil.Server{SystemID: pgvigil.SystemID(rapid.Uint64().Draw(t, "sysid"))}, Labels: labels.Draw(t, "labels")},
		Check:    pgvigil.HistoryCheck{OK: true, From: at.Draw(t, "from"), Problems: rapid.SliceOf(text).Draw(t, "problems")},
		Floats:   [3]float64{n(), n(), n()},
		Took:     time.Duration(rapid.Int64().Draw(t, "took")),
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"id":1,"verdict":{"factor":null}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var a pgvigil.Alert
		if wire.Unmarshal(b, &a) != nil {
			return
		}
		if _, err := wire.Marshal(a); err != nil {
			t.Errorf("Marshal of what was read from %q: %v", b, err)
		}
	})
}
