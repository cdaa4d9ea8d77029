package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
)

// spanFlags are --from, --to and --since, which select a span of the history.
type spanFlags struct{ from, to, since string }

func (s *spanFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.from, "from", "", "start: 2026-11-23, 2026-11-23T10:00, or RFC 3339; UTC unless it says otherwise")
	cmd.Flags().StringVar(&s.to, "to", "", "end; without it, now")
	cmd.Flags().StringVar(&s.since, "since", "", "how far back instead of --from: 90m, 7d, 2w")
}

// window reads the flags; without any of them it is open.
func (s spanFlags) window(now time.Time) (w pgvigil.Window, err error) {
	if w.To, err = readMoment("--to", s.to); err != nil {
		return w, err
	}
	if w.From, err = readMoment("--from", s.from); err != nil {
		return w, err
	}
	if s.since != "" {
		back, err := config.ParseDuration(s.since)
		if err != nil {
			return w, &pgvigil.Hint{Err: fmt.Errorf("read --since %q: %w", s.since, err), Advice: "write it like 90m, 7d or 2w"}
		}
		w.From = now.Add(-back.Std())
	}
	if !w.To.IsZero() && !w.From.Before(w.To) {
		return w, &pgvigil.Hint{Err: fmt.Errorf("read the span: it ends %s, before it begins", w.To.Format(time.RFC3339)), Advice: "exchange --from and --to"}
	}
	return w, nil
}

func readMoment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, &pgvigil.Hint{
		Err:    fmt.Errorf("read %s %q: not a moment", flag, text),
		Advice: "write it like 2026-11-23 or 2026-11-23T10:00:00Z",
	}
}
