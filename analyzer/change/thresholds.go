package change

import "math"

// Thresholds are all constants of the detector. Shifts are natural logarithms
// of a factor, durations are passes unless said otherwise.
type Thresholds struct {
	// Keep is how many observations of a series form its baseline.
	Keep int
	// Young is how many observations a series needs before it is judged.
	Young int
	// RefitMin and RefitMax bound the passes between two fits of a baseline; in
	// between, a tenth of its observations decides.
	RefitMin, RefitMax int
	// Scales are the numbers of observations whose mean is judged.
	Scales []int
	// MinShift is the smallest shift worth a verdict, YoungShift that of a
	// series just seen for the first time.
	MinShift, YoungShift float64
	// MinZ is the smallest shift in units of its scale that is looked at.
	MinZ float64
	// Alert is the score that convicts, Suspect the one that is shown.
	Alert, Suspect float64
	// Prior is the logarithm of the odds of a change before any evidence,
	// DeployPrior is added where a deploy is near the onset.
	Prior, DeployPrior float64
	// TempEvidence, HitEvidence and EventEvidence count against noise and
	// against a stall.
	TempEvidence, HitEvidence, EventEvidence float64
	// SpillShift is the smallest shift of time with which temporary blocks that
	// stay convict, SpillLasts the evidence of each interval with them.
	SpillShift, SpillLasts float64
	// StallRarity is -ln of the share of time that a series spends in stalls.
	StallRarity float64
	// EvidenceCap bounds what one kind of evidence can say.
	EvidenceCap float64
	// StallLength is how long a stall lasts until the fleet has shown it.
	StallLength float64
	// CommonSlack is the part of the siblings' median that is left to them.
	CommonSlack float64
	// CommonLoud is the mean common factor above which verdicts from time alone
	// wait, CommonShare the share of the shift above which they do.
	CommonLoud, CommonShare float64
	// Incident is the common factor that makes an incident after IncidentFor
	// passes.
	Incident    float64
	IncidentFor int
	// IncidentLoad is the shift of the time of all queries added up that makes
	// one, if half of the dearest queries share it.
	IncidentLoad float64
	// Season is the standard deviation that an hour of day never seen may
	// differ by.
	Season float64
	// ResolveFor is how long a series must be back, NewNormal after how long a
	// shift is accepted.
	ResolveFor, NewNormal int
	// Traffic is the shift of calls per second that is worth a line.
	Traffic float64
	// NewShare is the share of the server's time from which a fingerprint never
	// seen before is worth a verdict.
	NewShare float64
}

// Defaults are the thresholds of every user of this package.
func Defaults() Thresholds {
	return Thresholds{
		Keep:          2016,
		Young:         20,
		RefitMin:      8,
		RefitMax:      144,
		Scales:        []int{3, 6, 12, 24, 48, 96, 192},
		MinShift:      math.Log(1.13),
		YoungShift:    math.Log(1.6),
		MinZ:          2.5,
		Alert:         3.25,
		Suspect:       0,
		Prior:         -6,
		DeployPrior:   2,
		TempEvidence:  8,
		HitEvidence:   6,
		EventEvidence: 6,
		SpillShift:    -0.02,
		SpillLasts:    0.5,
		StallRarity:   -math.Log(0.01),
		EvidenceCap:   12,
		StallLength:   12,
		CommonSlack:   0.04,
		CommonLoud:    0.1,
		CommonShare:   0.3,
		Incident:      0.15,
		IncidentFor:   3,
		IncidentLoad:  math.Log(1.25),
		Season:        0.2,
		ResolveFor:    36,
		NewNormal:     1008,
		Traffic:       math.Log(2),
		NewShare:      0.03,
	}
}
