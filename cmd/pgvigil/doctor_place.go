package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/conninfo"
)

// ofPlace says what to mind where the target stands.
func (p *patient) ofPlace() []finding {
	var list []finding
	if p.exam.Pooled {
		list = append(list, finding{
			Tier: tierPlace, Code: "pooler", Text: "another process answers than the one that we connected to: a connection pooler is between. " + poolerCatches,
			ByHand: "give the address of Postgres itself",
		})
	}
	if p.snap.Server.InRecovery {
		list = append(list, p.standby())
	}
	if c, ok := catches[p.exam.Platform]; ok {
		list = append(list, finding{Tier: tierPlace, Code: "managed", Note: true, Text: fmt.Sprintf("%s. %s", p.exam.Platform, c.text)})
	}
	return list
}

// poolerCatches is what goes wrong behind a pooler that does not refuse us.
const poolerCatches = "Settings of our session may end up with others, a cancel with the wrong one, and each pass may see another server"

// standby is what holds of a standby.
func (p *patient) standby() finding {
	f := finding{
		Tier: tierPlace, Code: "standby", Note: true,
		Text: "a standby: it counts its own statements and scans, but has no counts of rows; bloat is estimated and not measured, so that replay never waits. " +
			"Extensions and grants are made on the primary. Long reads may be cancelled by replay (max_standby_streaming_delay), ours too; the next pass reads what is missing. " +
			"Watch primary and standby as two targets: they are joined by their system identifier",
	}
	if s, ok := p.setting("hot_standby_feedback"); ok && s.Value == "on" {
		f.Text += ". hot_standby_feedback is on: what runs here keeps dead rows on the primary"
	}
	return f
}

// catches are what to mind of a managed service, and where its settings are.
var catches = map[collector.Platform]struct{ text, settings string }{
	collector.RDS: {
		"Nobody is superuser: what needs one runs as a member of rds_superuser; settings are in the DB parameter group. Logs are read through its API, not from a path. " +
			"After a failover the name points to another machine: keep no address. Connect to the instance, not to RDS Proxy",
		"the DB parameter group",
	},
	collector.Aurora: {
		"The reader endpoint leads to another server each time: name instance endpoints, one target each. Replicas share storage: there is no replay lag by WAL position and no checkpoint of the server's own; " +
			"blocks read come from storage over the network, so their time says more than their number. Settings are in the parameter groups, of cluster and instance",
		"the DB cluster parameter group",
	},
	collector.CloudSQL: {
		"cloudsqlsuperuser is no superuser; settings are database flags, and many restart the server. The Auth Proxy ends TLS on this machine: a target at 127.0.0.1 is not loopback then. " +
			"Logs are in Cloud Logging, not on a path",
		"the database flags",
	},
	collector.Azure: {
		"azure_pg_admin is no superuser; settings are server parameters, and an extension must be in azure.extensions before CREATE EXTENSION. Port 6432 is its PgBouncer: use 5432. " +
			"Nobody may reset pg_stat_statements of others",
		"the server parameters",
	},
}

// withCatches adds to a refusal by a pooler what would go wrong behind it.
func withCatches(err error) error {
	if err == nil || !errors.Is(err, conninfo.ErrPooler) && !strings.Contains(err.Error(), "connection pooler") {
		return err
	}
	return &pgvigil.Hint{Err: err, Advice: pgvigil.Advice(err) + ". " + poolerCatches}
}
