package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// phrase tells one text from others: by its query id, else by its hash.
type phrase struct {
	db      pgvigil.OID
	queryID int64
	hash    int64
}

// meaning is what is remembered of a text.
type meaning struct {
	fingerprint pgvigil.Fingerprint
	text        string // normal form, its beginning
}

// Limits of the phrasebook: how many texts are remembered, how much of each, and
// how many are looked up in one sample.
const (
	maxPhrases   = 2000
	maxPhrase    = 1000 // bytes
	phrasesAtime = 50
)

// phrasebook remembers what texts mean, so that a sample carries none that is
// known. Those of sessions hold literals: they are described at once.
type phrasebook struct {
	known map[phrase]meaning
	// fresh are the queries that came up since the last pass, and told those
	// that a pass took along before.
	fresh map[pgvigil.Fingerprint]pgvigil.Query
	told  map[pgvigil.Fingerprint]bool
}

func newPhrasebook() phrasebook {
	return phrasebook{
		known: map[phrase]meaning{}, fresh: map[pgvigil.Fingerprint]pgvigil.Query{}, told: map[pgvigil.Fingerprint]bool{},
	}
}

// learn notes what a text means.
func (b *phrasebook) learn(p phrase, q pgvigil.Query) {
	if len(b.known) >= maxPhrases {
		forgetHalf(b.known)
	}
	b.known[p] = meaning{q.Fingerprint, truncate(q.Text, maxPhrase)}
	if q.Fingerprint == 0 || b.told[q.Fingerprint] {
		return
	}
	if len(b.told) >= 2*maxPhrases {
		forgetHalf(b.told)
	}
	b.told[q.Fingerprint] = true
	b.fresh[q.Fingerprint] = q
}

// forgetHalf drops one in two, whichever: what is asked for again is learned again.
func forgetHalf[K comparable, V any](m map[K]V) {
	n := len(m) / 2
	for k := range m {
		if n--; n < 0 {
			return
		}
		delete(m, k)
	}
}

// truncate cuts s to n bytes at most, between characters.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// readPhrases looks up the texts of sessions that are not known yet, some at a time.
func (s *sampler) readPhrases(ctx context.Context, conn *pgx.Conn, list []sighting) error {
	pids := s.tally.unknown(list, phrasesAtime)
	if len(pids) == 0 {
		return nil
	}
	began := time.Now()
	defer func() { s.budget.spend(time.Now(), time.Since(began)) }()
	rows, err := conn.Query(ctx, textsQuery, pids)
	if err != nil {
		return fmt.Errorf("read texts of sessions: %w", err)
	}
	var db *pgvigil.OID
	var id, hash *int64
	var text *string
	_, err = pgx.ForEachRow(rows, []any{&db, &id, &hash, &text}, func() error {
		if db == nil || text == nil {
			return nil
		}
		p := phrase{db: *db}
		switch {
		case id != nil:
			p.queryID = *id
		case hash != nil:
			p.hash = *hash
		}
		s.tally.learn(p, s.describe(*db, *text))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read texts of sessions: %w", err)
	}
	return nil
}

// describe turns the text of a session into a query without literals.
func (s *sampler) describe(db pgvigil.OID, text string) pgvigil.Query {
	if text == "" || text == "<insufficient privilege>" {
		return pgvigil.Query{}
	}
	return s.Describe(text, query.Options{Partitions: s.memory.partitionsOf(db), MaxText: s.TextLimit})
}
