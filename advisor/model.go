package advisor

import (
	"context"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/index"
)

func (t *task) consult(ctx context.Context) {}

func (t *task) tell(c index.Choice, p pgvigil.Proposal, table *pgvigil.Table) string {
	return prose(c, p, table)
}

func (t *task) partition(ctx context.Context) {}
