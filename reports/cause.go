package reports

import (
	"github.com/pgvigil/pgvigil"
)

// details are the finer causes in words that follow "because".
var details = map[string]string{
	pgvigil.DetailIndexDropped:    "an index was dropped",
	pgvigil.DetailIndexInvalid:    "an index became invalid",
	pgvigil.DetailNoIndex:         "no index serves it",
	pgvigil.DetailPruningLost:     "its partitions are no longer pruned",
	pgvigil.DetailStaleStatistics: "the planner's statistics are stale",
	pgvigil.DetailGenericPlan:     "it runs with a generic plan",
	pgvigil.DetailPlanChanged:     "its plan changed",
	pgvigil.DetailNPlusOne:        "it is called once for each row of another",
	pgvigil.DetailListGrowth:      "its lists of values grew",
	pgvigil.DetailLockQueue:       "it waits in a queue for a lock",
	pgvigil.DetailHotRow:          "sessions wait for the same rows",
	pgvigil.DetailLongTransaction: "a long transaction keeps dead rows from being removed",
	pgvigil.DetailHOTLost:         "its updates are no longer HOT",
	pgvigil.DetailRetentionOff:    "old rows are no longer removed",
	pgvigil.DetailSetting:         "a setting was changed",
	pgvigil.DetailNeighbour:       "the whole server is slower",
	pgvigil.DetailTimeout:         "its calls hit their timeout",
	pgvigil.DetailNeverEnds:       "a call of it does not end",
	pgvigil.DetailConnections:     "there are too many connections",
	pgvigil.DetailCheckpoints:     "WAL forces checkpoints before their time",
	pgvigil.DetailSlowReads:       "reads from disk take longer",
	pgvigil.DetailMaintenance:     "maintenance was under way",
	pgvigil.DetailHeldBack:        "vacuum may not remove dead rows",
	pgvigil.DetailVacuumOutrun:    "autovacuum does not come to its table",
	pgvigil.DetailDeadlocks:       "transactions deadlock",
	pgvigil.DetailSLRU:            "sessions look up subtransactions or multixacts",
	pgvigil.DetailSyncStandby:     "commits wait for a standby",
	pgvigil.DetailSchema:          "a definition on its tables changed",
}

// causes are the coarse ones in the same words.
var causes = map[pgvigil.Cause]string{
	pgvigil.CausePlan:       "it does more work for each call",
	pgvigil.CauseContention: "it waits for other sessions",
	pgvigil.CauseSpill:      "it spills to temporary files",
	pgvigil.CauseIO:         "its blocks come from disk",
	pgvigil.CauseBloat:      "it reads through dead rows",
	pgvigil.CauseRows:       "it handles more rows",
	pgvigil.CauseTraffic:    "it is called more often",
	pgvigil.CauseDatabase:   "the whole database is slower",
}

// because says why in words that follow "because"; "" when it is not known.
func because(v pgvigil.Regression) string {
	if words, ok := details[v.CauseDetail]; ok {
		return words
	}
	return causes[v.Cause]
}

// causeSentence says why, with the nearest event that fits.
func causeSentence(v pgvigil.Regression) string {
	words := "because " + because(v)
	switch {
	case because(v) == "":
		return "The cause is not known."
	case v.Kind == pgvigil.KindIncident && v.CauseDetail != "":
		words = plain(v.CauseDetail, maxName) // "it" would be no query
	case v.Kind == pgvigil.KindIncident:
		words = plain(string(v.Cause), maxName)
	}
	words += explained(v)
	if v.Kind == pgvigil.KindIncident {
		return "Most likely cause: " + words + "."
	}
	return "Most likely " + words + "."
}

// explains are the events that the finer causes speak of.
var explains = map[string]pgvigil.EventKind{
	pgvigil.DetailIndexDropped: pgvigil.EventIndexDropped,
	pgvigil.DetailIndexInvalid: pgvigil.EventIndexInvalid,
	pgvigil.DetailHOTLost:      pgvigil.EventIndexCreated,
	pgvigil.DetailSetting:      pgvigil.EventSettingChanged,
}

// explained names what a detailed cause speaks of, in brackets: the index that
// was dropped, the setting that was changed; "" where no event tells.
func explained(v pgvigil.Regression) string {
	for _, e := range v.Events {
		if e.Object != "" && e.Kind == explains[v.CauseDetail] {
			return " (" + plain(e.Object, maxName) + changeWords(e) + ")"
		}
	}
	return ""
}

// changeWords says from what to what, where the event has both.
func changeWords(e pgvigil.Event) string {
	if e.Before == "" || e.After == "" {
		return ""
	}
	return ", " + plain(e.Before, maxName) + " \u2192 " + plain(e.After, maxName)
}
