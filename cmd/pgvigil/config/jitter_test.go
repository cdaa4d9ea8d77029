package config

import (
	"testing"
	"time"
)

func TestADefaultJitterFitsItsPeriod(t *testing.T) {
	tests := map[string]struct {
		yaml string
		want time.Duration
	}{
		"a second between passes":           {"schedule: {every: 1s}\ntargets: {ci: {host: localhost}}\n", 100 * time.Millisecond},
		"a target with a period of its own": {"targets: {ci: {host: localhost, schedule: {every: 2s}}}\n", 200 * time.Millisecond},
		"long enough":                       {"targets: {ci: {host: localhost}}\n", 5 * time.Second},
		"written out":                       {"targets: {ci: {host: localhost, schedule: {every: 2s, jitter: 1s}}}\n", time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := loaded(t, "version: 1\n"+tt.yaml)
			if got := c.Targets["ci"].Schedule.Jitter.Std(); got != tt.want {
				t.Errorf("jitter = %v; want %v", got, tt.want)
			}
		})
	}
}
