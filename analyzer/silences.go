package analyzer

import (
	"context"
	"fmt"
	"time"

	"github.com/pgvigil/pgvigil"
)

// endSilences opens the alerts whose silence is over. People silence alerts in
// the history, so that is where they are looked for.
func (b *book) endSilences(ctx context.Context) error {
	if len(b.s.alerts) == 0 {
		return nil
	}
	list, err := b.history.Alerts(ctx, pgvigil.AlertFilter{Server: b.s.id, Live: true})
	if err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	for _, stored := range list {
		k := keyOf(stored.Verdict)
		al := b.s.alerts[k]
		if stored.State != pgvigil.Silenced || stored.SilencedUntil.IsZero() || b.now().Before(stored.SilencedUntil) || al == nil || al.ID != stored.ID {
			continue
		}
		if live, err := b.refresh(ctx, k, al); err != nil || !live {
			return err
		}
		reason := "its silence is over since " + al.SilencedUntil.UTC().Format(time.RFC3339)
		if err := b.step(ctx, al, pgvigil.Open, reason); err != nil {
			return err
		}
	}
	return nil
}
