package reports

import (
	"math"

	"github.com/pgvigil/pgvigil"
)

// notable is the factor from which a change in a measure is marked.
const notable = 1.25

// profileRows puts two profiles side by side. A measure that neither has is
// left out.
func profileRows(before, after pgvigil.Profile) []profileRow {
	measures := []struct {
		name          string
		before, after float64
		write         func(float64) string
		floor         float64 // under which a change is no matter
		harmless      bool    // more of it is not worse
	}{
		{"time per call", before.MS, after.MS, millis, 0, false},
		{"planning per call", before.PlanMS, after.PlanMS, millis, 0.1, false},
		{"blocks per call", before.Blocks, after.Blocks, number, 0, false},
		{"rows per call", before.Rows, after.Rows, number, 0, true},
		{"temporary blocks per call", before.TempBlocks, after.TempBlocks, number, 1, false},
		{"WAL per call", before.WALBytes, after.WALBytes, byteSize, 1024, false},
		{"hit ratio", before.HitRatio, after.HitRatio, percent, 0, true},
		{"calls an hour", before.CallsPerHour, after.CallsPerHour, number, 0, true},
	}
	var rows []profileRow
	for _, m := range measures {
		if (math.IsNaN(m.before) || m.before == 0) && (math.IsNaN(m.after) || m.after == 0) {
			continue
		}
		row := profileRow{Name: m.name, Before: m.write(m.before), After: m.write(m.after)}
		row.Change, row.Tone = change(m.before, m.after)
		if m.harmless || math.Max(m.before, m.after) < m.floor {
			row.Tone = toneNone
		}
		rows = append(rows, row)
	}
	return rows
}

// change writes after over before in words, with its tone where more is worse.
func change(before, after float64) (string, tone) {
	switch f := after / before; {
	case math.IsNaN(f):
		return unknown, toneMute
	case before == 0 && after > 0:
		return "new", toneBad
	case f >= notable:
		return "\u25b2 " + times(f), toneBad
	case f <= 1/notable:
		return "\u25bc " + times(1/f) + " less", toneGood
	}
	return "\u2248 same", toneMute
}
