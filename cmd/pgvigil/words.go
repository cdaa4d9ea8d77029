package main

import (
	"fmt"
	"math"

	"github.com/pgvigil/pgvigil"
)

// alertHeadline is an alert in one line, without foreign text.
func alertHeadline(a pgvigil.Alert) string {
	v := a.Verdict
	switch v.Kind {
	case pgvigil.KindIncident:
		return fmt.Sprintf("%s suffers: %s", a.Target, causeWords(v))
	case pgvigil.KindTraffic:
		return fmt.Sprintf("%s is called %s as often", v.Series.Fingerprint, factorWords(v.Factor))
	case pgvigil.KindNew:
		return fmt.Sprintf("%s is new and takes %.0f %% of the time", v.Series.Fingerprint, 100*v.LoadShare)
	case pgvigil.KindImprovement:
		return fmt.Sprintf("%s got faster, %s", v.Series.Fingerprint, factorWords(v.Factor))
	}
	return fmt.Sprintf("%s got slower, %s: %s ms a call instead of %s, %s blocks instead of %s",
		v.Series.Fingerprint, factorWords(v.Factor), number(v.After.MS), number(v.Before.MS), number(v.After.Blocks), number(v.Before.Blocks))
}

// causeWords is a verdict's cause with the finer word.
func causeWords(v pgvigil.Regression) string {
	if v.CauseDetail == "" {
		return string(v.Cause)
	}
	return fmt.Sprintf("%s (%s)", v.Cause, v.CauseDetail)
}

func factorWords(f float64) string {
	if math.IsNaN(f) {
		return "by an unknown factor"
	}
	return number(f) + " times"
}

// number shows three significant digits, "-" for what is not known.
func number(f float64) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "-"
	case f != 0 && math.Abs(f) < 100:
		return fmt.Sprintf("%.3g", f)
	}
	return fmt.Sprintf("%.0f", f)
}

// sizeWords shows a size in binary units.
func sizeWords(b pgvigil.Bytes) string {
	f, units := float64(b), []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for ; math.Abs(f) >= 1024 && i < len(units)-1; i++ {
		f /= 1024
	}
	return number(f) + " " + units[i]
}

// finite returns f, or nil where JSON has no word for it.
func finite(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}

func fingerprints(loads []pgvigil.LoadShare) []pgvigil.Fingerprint {
	list := make([]pgvigil.Fingerprint, 0, len(loads))
	for _, l := range loads {
		list = append(list, l.Series.Fingerprint)
	}
	return list
}

// percent shows a share as a signed percentage.
func percent(share float64) string {
	if math.IsNaN(share) {
		return "unknown"
	}
	return fmt.Sprintf("%+.1f %%", 100*share)
}
