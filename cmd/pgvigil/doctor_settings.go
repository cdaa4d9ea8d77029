package main

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// What the settings should be.
const (
	activitySize = 4096  // bytes of a text in pg_stat_activity
	mostEntries  = 20000 // of pg_stat_statements; reading more costs too much (docs/footprint.md)
	evictedShare = 0.05  // of the entries, that the server evicts at a time
)

// ofSettings says which settings make the numbers better, and why.
func (p *patient) ofSettings() []finding {
	var list []finding
	off := func(name, code, text, without string, sql ...string) {
		if s, ok := p.setting(name); ok && s.Value == "off" {
			list = append(list, finding{Tier: tierSettings, Code: code, Text: text, Without: without, SQL: append(sql, reload)})
		}
	}
	off("track_io_timing", "track-io-timing", "track_io_timing is off: the time of reading and writing blocks is not measured",
		"a slow disk looks like a slow query; a server whose clock is quick (pg_test_timing) pays next to nothing for it",
		"ALTER SYSTEM SET track_io_timing = on")
	off("track_counts", "track-counts", "track_counts is off: changes of tables are not counted",
		"autovacuum does not run, tables and indexes show no load", "ALTER SYSTEM SET track_counts = on")
	off("autovacuum", "autovacuum-off", "autovacuum is off",
		"dead rows stay, statistics age, and in the end the server stops to save transaction numbers", "ALTER SYSTEM SET autovacuum = on")
	off("pg_stat_statements.save", "pgss-not-saved", "pg_stat_statements.save is off: counters are lost at each restart",
		"what ran between the last pass and the restart is lost", "ALTER SYSTEM SET pg_stat_statements.save = on")
	list = append(list, p.activitySize()...)
	return append(list, p.entries()...)
}

// activitySize is about the texts that a sample of sessions shows.
func (p *patient) activitySize() []finding {
	s, ok := p.setting("track_activity_query_size")
	n, err := strconv.Atoi(s.Value)
	if !ok || err != nil || n >= activitySize {
		return nil
	}
	connections := 100
	if c, ok := p.setting("max_connections"); ok {
		connections, _ = strconv.Atoi(c.Value)
	}
	return []finding{{
		Tier: tierSettings, Code: "activity-cut",
		Text: fmt.Sprintf("track_activity_query_size is %d: longer texts of running statements are cut, and what is cut cannot be told from its like", n),
		Without: fmt.Sprintf("waits and blockers with long texts are not joined to their query; %d takes %d kB more of shared memory",
			activitySize, (activitySize-n)*connections/1024),
		SQL: []string{fmt.Sprintf("ALTER SYSTEM SET track_activity_query_size = %d", activitySize)}, Restart: true,
	}}
}

// entries derives pg_stat_statements.max from the rate of evictions that was
// measured: each removes a twentieth of the entries, and as many new ones came.
// Room for a day of them lets one eviction happen a day.
func (p *patient) entries() []finding {
	st := p.snap.Statements
	if !st.OK || st.Dealloc <= 0 || st.Reset.IsZero() {
		return nil
	}
	hours := math.Max(p.snap.At.Sub(st.Reset).Hours(), 1.0/60)
	perHour := float64(st.Dealloc) / hours
	if perHour*24 < 1 {
		return nil
	}
	fresh := perHour * evictedShare * float64(st.Max) // entries an hour
	wanted := math.Ceil((float64(st.Max)+24*fresh)/1000) * 1000
	f := finding{
		Tier: tierSettings, Code: "statements-evicted",
		Text: fmt.Sprintf("pg_stat_statements evicted %d times since %s, %s times an hour: some %s new entries an hour find no room among %d",
			st.Dealloc, st.Reset.UTC().Format(time.DateTime), number(perHour), number(fresh), st.Max),
		Without: "the calls of evicted statements are lost; reports and alerts say how many (coverage)",
		Restart: true,
	}
	if wanted > mostEntries {
		f.ByHand = fmt.Sprintf("a day of them would take %.0f entries: no size holds so many. Find what makes texts differ: IN lists of many lengths (before 18), "+
			"names of temporary tables, SET with values (pg_stat_statements.track_utility = off)", wanted)
		wanted = mostEntries
	}
	if int(wanted) > st.Max {
		f.SQL = []string{fmt.Sprintf("ALTER SYSTEM SET pg_stat_statements.max = %.0f", wanted)}
	}
	return []finding{f}
}
