package collector

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// How many of each a snapshot keeps.
const (
	mostHolders      = 10
	mostTransactions = 5
	mostSequences    = 20
)

// readState reads how the server stands. What cannot be read of it is left out.
func (p *pass) readState(ctx context.Context) {
	p.countConnections()
	p.try(ctx, "holders-unread", "read what holds back vacuum", p.readHolders)
	p.try(ctx, "slots-unread", "read replication slots", p.readSlots)
	p.try(ctx, "progress-unread", "read the progress of maintenance", p.readProgress)
	p.try(ctx, "replicas-unread", "read replicas", p.readReplicas)
	p.try(ctx, "roles-unread", "read roles", p.readRoles)
}

// countConnections counts the sessions of clients, our own with them.
func (p *pass) countConnections() {
	c := pgvigil.Connections{Used: 1}
	for i := range p.activity {
		b := &p.activity[i]
		if b.BackendType != "" && b.BackendType != "client backend" {
			continue
		}
		c.Used++
		switch b.State {
		case "active":
			c.Active++
		case "idle in transaction", "idle in transaction (aborted)":
			c.IdleInTx++
		}
	}
	c.Limit = p.number("max_connections")
	c.Reserved = p.number("superuser_reserved_connections") + p.number("reserved_connections")
	p.snap.State.Connections = c
	p.snap.State.Transactions = p.longest()
}

// number returns a setting of the server, 0 if it is not there.
func (p *pass) number(name string) int {
	for _, s := range p.snap.Settings {
		if s.Name == name && s.Scope == "" {
			n, err := strconv.Atoi(s.Value)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// longest returns the transactions that have been open longest, our own aside.
func (p *pass) longest() []pgvigil.Transaction {
	var list []pgvigil.Transaction
	for i := range p.activity {
		b := &p.activity[i]
		client := b.BackendType == "" || b.BackendType == "client backend"
		if client && !b.XactStart.IsZero() && !b.OwnedByUs && p.snap.At.Sub(b.XactStart) >= time.Minute {
			list = append(list, pgvigil.Transaction{
				PID: b.PID, DBID: b.DBID, Application: b.Application, State: b.State, Since: b.XactStart,
			})
		}
	}
	slices.SortFunc(list, func(a, b pgvigil.Transaction) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.PID, b.PID)) })
	return list[:min(mostTransactions, len(list))]
}

func (p *pass) readHolders(ctx context.Context) error {
	rows, err := p.conn.Query(ctx, load("holders"), mostHolders)
	if err != nil {
		return err
	}
	p.snap.State.Holders, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (h pgvigil.Holder, err error) {
		var since *moment
		err = row.Scan(&h.Kind, &h.Name, &h.Database, &h.State, &h.Age, &since, &h.Catalog)
		h.Since = utc(since)
		if h.Kind == pgvigil.HeldByPrepared || h.Kind == pgvigil.HeldByStandby {
			h.Name = query.MaskLabel(h.Name) // programs name these
		}
		return h, err
	})
	return err
}

func (p *pass) readSlots(ctx context.Context) error {
	name := "slots"
	if p.snap.Server.Version.Major() >= 17 {
		name = "slots.pg17"
	}
	rows, err := p.conn.Query(ctx, load(name))
	if err != nil {
		return err
	}
	p.snap.State.Slots, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s pgvigil.Slot, err error) {
		var since *moment
		err = row.Scan(&s.Name, &s.Kind, &s.Database, &s.Active, &s.Status, &s.Retained, &s.Safe,
			&s.XminAge, &s.CatalogAge, &since, &s.Reason)
		s.InactiveSince = utc(since)
		return s, err
	})
	return err
}

// readProgress reads what maintenance is under way; describeState names it.
func (p *pass) readProgress(ctx context.Context) error {
	rows, err := p.conn.Query(ctx, load("progress"))
	if err != nil {
		return err
	}
	p.snap.State.Progress, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (g pgvigil.Progress, err error) {
		err = row.Scan(&g.Kind, &g.PID, &g.Key.DBID, &g.Key.RelID, &g.Phase, &g.Done, &g.Total)
		return g, err
	})
	for i := range p.snap.State.Progress {
		g := &p.snap.State.Progress[i]
		for j := range p.activity {
			if b := &p.activity[j]; b.PID == g.PID {
				g.Auto, g.Since = b.BackendType == "autovacuum worker", cmp.Or(b.XactStart, b.QueryStart)
			}
		}
	}
	return err
}

func (p *pass) readReplicas(ctx context.Context) error {
	rows, err := p.conn.Query(ctx, load("replicas"))
	if err != nil {
		return err
	}
	s := &p.snap.State
	s.Replicas, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r pgvigil.Replica, err error) {
		var lag float64
		err = row.Scan(&r.Application, &r.State, &r.SyncState, &lag, &r.LagBytes)
		r.Application, r.ReplayLag = query.MaskLabel(r.Application), seconds(lag)
		return r, err
	})
	if err != nil || !p.snap.Server.InRecovery {
		return err
	}
	var behind float64
	err = p.conn.QueryRow(ctx, load("behind")).Scan(&behind)
	s.Behind = seconds(behind)
	return err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// readRoles reads the roles as rarely as the catalogs.
func (p *pass) readRoles(ctx context.Context) error {
	if p.Now().Sub(p.memory.rolesAt) < p.CatalogEvery {
		return nil
	}
	rows, err := p.conn.Query(ctx, load("roles"))
	if err != nil {
		return err
	}
	p.snap.Roles, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r pgvigil.Role, err error) {
		err = row.Scan(&r.Name, &r.Rights)
		return r, err
	})
	if err == nil {
		p.memory.rolesAt = p.Now()
	}
	return err
}

// describeState names the tables and queries of the state, and picks the
// fullest sequences. It comes last because it needs the databases.
func (p *pass) describeState() {
	s := &p.snap.State
	names := map[pgvigil.RelationKey]string{}
	for _, g := range s.Progress {
		names[g.Key] = ""
	}
	p.nameRelations(names)
	for i := range s.Progress {
		s.Progress[i].Name = names[s.Progress[i].Key]
	}
	for i := range s.Transactions {
		for j := range p.snap.Sessions {
			if x := &p.snap.Sessions[j]; x.PID == s.Transactions[i].PID {
				s.Transactions[i].Fingerprint = x.Fingerprint
			}
		}
	}
	for i := range p.snap.Databases {
		s.Sequences = append(s.Sequences, p.snap.Databases[i].Sequences...)
	}
	s.Sequences = slices.DeleteFunc(s.Sequences, func(q pgvigil.Sequence) bool { return !q.Known || q.Cycles })
	slices.SortStableFunc(s.Sequences, func(a, b pgvigil.Sequence) int { return cmp.Compare(b.Used(), a.Used()) })
	s.Sequences = slices.Clone(s.Sequences[:min(mostSequences, len(s.Sequences))])
}
