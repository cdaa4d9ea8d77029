package analyzer

import (
	"context"
	"fmt"
	"time"

	"github.com/pgvigil/pgvigil"
)

// nearlyFull is the share of the connections that are open to ordinary roles
// from which an incident is told, fewConnections the number from which it is
// worth telling.
const (
	nearlyFull     = 0.9
	fewConnections = 10
)

// connections finds that ordinary roles are about to be refused: some of
// max_connections are reserved for others.
func (b *book) connections(ctx context.Context, from time.Time) ([]symptom, error) {
	points, err := b.history.ServerPoints(ctx, b.s.id, pgvigil.Window{From: from.Add(time.Millisecond), To: b.rec.At.Add(time.Second)})
	if err != nil {
		return nil, fmt.Errorf("read what the server did: %w", err)
	}
	if len(points) == 0 {
		return nil, nil
	}
	last := points[len(points)-1]
	c := last.State.Connections
	if c.Used < fewConnections || c.Open() == 0 || float64(c.Used) < nearlyFull*float64(c.Open()) {
		return nil, nil
	}
	return []symptom{{
		name: pgvigil.DetailConnections, cause: pgvigil.CauseContention, detail: pgvigil.DetailConnections,
		since: last.End, factor: 1, beyond: []float64{1 + 10*(float64(c.Used)/float64(c.Open())-nearlyFull)},
		rule: fmt.Sprintf("%d of the %d connections that are open to ordinary roles are used (max_connections %d less %d reserved; limit %.0f %%)",
			c.Used, c.Open(), c.Limit, c.Reserved, 100*nearlyFull),
		related: []string{fmt.Sprintf("%d of them run a statement, %d are idle in a transaction", c.Active, c.IdleInTx)},
	}}, nil
}
