package main

import (
	"time"

	"github.com/pgvigil/pgvigil"
)

// The objects below are what --format json prints; scripts rely on their
// names. What is not known is null.

type coverageObject struct {
	Time        *float64 `json:"time"`
	Blocks      *float64 `json:"blocks"`
	Calls       *float64 `json:"calls"`
	CallsMin    *float64 `json:"calls_min"`
	CallsMax    *float64 `json:"calls_max"`
	Own         *float64 `json:"own"`
	Gap         *float64 `json:"gap"`
	Rollbacks   int64    `json:"rollbacks"`
	Passes      int      `json:"passes"`
	Expected    int      `json:"expected"`
	Evicted     int64    `json:"evicted"`
	FirstSights int      `json:"first_sights"`
	Resets      int      `json:"resets"`
}

func coverageJSON(c pgvigil.Coverage) coverageObject {
	return coverageObject{
		Time: finite(c.Time), Blocks: finite(c.Blocks),
		Calls: finite(c.Calls), CallsMin: finite(c.CallsMin), CallsMax: finite(c.CallsMax),
		Own: finite(c.Own), Gap: finite(c.Gap), Rollbacks: c.Rollbacks,
		Passes: c.Passes, Expected: c.Expected, Evicted: c.Evicted, FirstSights: c.FirstSights, Resets: c.Resets,
	}
}

type eventObject struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Object string    `json:"object"`
	Table  string    `json:"table,omitempty"`
	Before string    `json:"before,omitempty"`
	After  string    `json:"after,omitempty"`
	Source string    `json:"source"`
}

func eventsJSON(list []pgvigil.Event) []eventObject {
	out := make([]eventObject, 0, len(list))
	for _, e := range list {
		out = append(out, eventObject{e.At, string(e.Kind), e.Object, e.Table, e.Before, e.After, e.Source})
	}
	return out
}

type profileObject struct {
	MS           *float64 `json:"ms"`
	Blocks       *float64 `json:"blocks"`
	Rows         *float64 `json:"rows"`
	TempBlocks   *float64 `json:"temp_blocks"`
	WALBytes     *float64 `json:"wal_bytes"`
	CallsPerHour *float64 `json:"calls_per_hour"`
}

func profileJSON(p pgvigil.Profile) profileObject {
	return profileObject{finite(p.MS), finite(p.Blocks), finite(p.Rows), finite(p.TempBlocks), finite(p.WALBytes), finite(p.CallsPerHour)}
}

type verdictObject struct {
	Kind           string              `json:"kind"`
	Fingerprint    pgvigil.Fingerprint `json:"fingerprint"`
	Onset          time.Time           `json:"onset"`
	Detected       time.Time           `json:"detected"`
	Factor         *float64            `json:"factor"`
	Before         profileObject       `json:"before"`
	After          profileObject       `json:"after"`
	ExtraMSPerHour *float64            `json:"extra_ms_per_hour"`
	LoadShare      *float64            `json:"load_share"`
	Confidence     *float64            `json:"confidence"`
	Cause          string              `json:"cause"`
	CauseDetail    string              `json:"cause_detail,omitempty"`
	Rule           string              `json:"rule"`
	Events         []eventObject       `json:"events"`
	Coverage       coverageObject      `json:"coverage"`
	Warnings       []pgvigil.Warning   `json:"warnings"`
}

func verdictJSON(v pgvigil.Regression) verdictObject {
	return verdictObject{
		Kind: string(v.Kind), Fingerprint: v.Series.Fingerprint, Onset: v.Onset, Detected: v.Detected, Factor: finite(v.Factor),
		Before: profileJSON(v.Before), After: profileJSON(v.After), ExtraMSPerHour: finite(v.ExtraMSPerHour),
		LoadShare: finite(v.LoadShare), Confidence: finite(v.Confidence), Cause: string(v.Cause), CauseDetail: v.CauseDetail,
		Rule: v.Rule, Events: eventsJSON(v.Events), Coverage: coverageJSON(v.Coverage), Warnings: append([]pgvigil.Warning{}, v.Warnings...),
	}
}

type alertObject struct {
	ID       int64         `json:"id"`
	Target   string        `json:"target"`
	Database string        `json:"database"`
	State    string        `json:"state"`
	Severity string        `json:"severity"`
	Query    string        `json:"query,omitempty"`
	Opened   time.Time     `json:"opened"`
	Updated  time.Time     `json:"updated"`
	Closed   *time.Time    `json:"closed"`
	Until    *time.Time    `json:"silenced_until,omitempty"`
	Verdict  verdictObject `json:"verdict"`
	History  []stepObject  `json:"history"`
}

type stepObject struct {
	At     time.Time `json:"at"`
	State  string    `json:"state"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
}

func alertsJSON(list []pgvigil.Alert) []alertObject {
	out := make([]alertObject, 0, len(list))
	for _, a := range list {
		out = append(out, alertJSON(a))
	}
	return out
}

func alertJSON(a pgvigil.Alert) alertObject {
	o := alertObject{
		ID: a.ID, Target: a.Target, Database: a.Database, State: string(a.State), Severity: string(a.Severity), Query: a.Query.Text,
		Opened: a.Opened, Updated: a.Updated, Verdict: verdictJSON(a.Verdict), History: []stepObject{},
	}
	if !a.Closed.IsZero() {
		o.Closed = &a.Closed
	}
	if !a.SilencedUntil.IsZero() {
		o.Until = &a.SilencedUntil
	}
	for _, s := range a.History {
		o.History = append(o.History, stepObject{s.At, string(s.State), s.Reason, s.By})
	}
	return o
}

type proposalObject struct {
	ID         int64             `json:"id"`
	Kind       string            `json:"kind"`
	DDL        []string          `json:"ddl"`
	Table      string            `json:"table"`
	Columns    []string          `json:"columns"`
	SizeBytes  int64             `json:"size_bytes"`
	CostBefore float64           `json:"cost_before"`
	CostAfter  float64           `json:"cost_after"`
	Verdict    string            `json:"verdict"`
	Method     string            `json:"method"`
	Author     string            `json:"author"`
	Reason     string            `json:"reason"`
	Warnings   []pgvigil.Warning `json:"warnings"`
	State      string            `json:"state"`
	Decision   *decisionObject   `json:"decision,omitempty"`
	Alert      int64             `json:"alert,omitempty"`
	Queries    []queryObject     `json:"queries"`
}

type decisionObject struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

type queryObject struct {
	Fingerprint pgvigil.Fingerprint `json:"fingerprint"`
	Text        string              `json:"text"`
	Weight      float64             `json:"weight"`
	CostBefore  float64             `json:"cost_before"`
	CostAfter   float64             `json:"cost_after"`
	Uses        bool                `json:"uses"`
}

func proposalJSON(p pgvigil.Proposal) proposalObject {
	o := proposalObject{
		ID: p.ID, Kind: string(p.Kind), DDL: []string{}, Table: p.Table, Columns: append([]string{}, p.Columns...),
		SizeBytes: int64(p.Evidence.Size), CostBefore: float64(p.Evidence.CostBefore), CostAfter: float64(p.Evidence.CostAfter),
		Verdict: string(p.Evidence.Verdict), Method: p.Evidence.Method, Author: p.Author, Reason: p.Reason, State: string(p.State),
		Alert:   p.Alert,
		Queries: []queryObject{}, Warnings: append([]pgvigil.Warning{}, p.Evidence.Warnings...),
	}
	if d := p.Decision; d != nil {
		o.Decision = &decisionObject{d.At, d.By, d.Reason}
	}
	for _, s := range p.Steps {
		o.DDL = append(o.DDL, s.SQL)
	}
	for _, q := range p.Evidence.Queries {
		o.Queries = append(o.Queries, queryObject{q.Fingerprint, q.Text, q.Weight, float64(q.CostBefore), float64(q.CostAfter), q.Uses})
	}
	return o
}
