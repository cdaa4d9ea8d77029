package collector

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// Examination is what pgvigil may do on a target, and what stands in its way.
type Examination struct {
	User      string
	Home      string // database of the DSN
	Superuser bool
	// Predefined are the predefined roles that this version has and that pgvigil
	// uses; Member are those whose rights our role has.
	Predefined []string
	Member     []string
	Platform   Platform
	// Preload is shared_preload_libraries; PreloadHidden says that the role may
	// not read it.
	Preload       string
	PreloadHidden bool
	// AutoExplain is auto_explain.log_min_duration, "" where it is not loaded.
	AutoExplain string
	// Pooled says that another process answers than the one that we connected to.
	Pooled    bool
	Databases []DatabaseRights
}

// Has says whether our role has the rights of a predefined role.
func (e *Examination) Has(role string) bool { return slices.Contains(e.Member, role) }

// Knows says whether the server's version has a predefined role.
func (e *Examination) Knows(role string) bool { return slices.Contains(e.Predefined, role) }

// DatabaseRights is what our role may do in one database.
type DatabaseRights struct {
	Name     string
	Offered  []string // extensions that could be installed
	Tables   int
	Hidden   int // of Tables, those that the role may not read
	Writable int // of Tables, those that it may write
	// MayMeasure says that it may call pgstattuple_approx.
	MayMeasure bool
}

// Platform is the managed service that a server runs on, "" if none is known.
type Platform string

// The platforms that can be told by their marks.
const (
	RDS      Platform = "Amazon RDS"
	Aurora   Platform = "Amazon Aurora"
	CloudSQL Platform = "Google Cloud SQL"
	Azure    Platform = "Azure Database for PostgreSQL"
)

// UsefulExtensions are those that pgvigil uses where they are.
var UsefulExtensions = []string{"hypopg", "pg_stat_statements", "pgstattuple"}

// predefined roles that matter to pgvigil.
var predefined = []string{
	"pg_monitor", "pg_read_all_data", "pg_read_all_settings", "pg_read_all_stats", "pg_signal_backend",
	"pg_stat_scan_tables", "pg_use_reserved_connections", "pg_write_all_data",
}

// Examine reads what our role may do on a target, and in the databases named.
// A database that cannot be looked into is left out: a pass says why.
func (c *Collector) Examine(ctx context.Context, t pgvigil.Target, databases []string) (*Examination, error) {
	conn, err := Connect(ctx, t, "")
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	var e Examination
	var roles, settings []string
	var aurora bool
	var preload, explain *string
	var pid uint32
	err = conn.QueryRow(ctx, load("examine"), predefined).Scan(&e.User, &e.Home, &e.Superuser, &e.Predefined, &e.Member,
		&roles, &settings, &aurora, &preload, &explain, &pid)
	if err != nil {
		return nil, fmt.Errorf("examine %s: %w", t.Name, err)
	}
	e.Platform = platformOf(roles, settings, aurora)
	if e.PreloadHidden = preload == nil; preload != nil {
		e.Preload = *preload
	}
	if explain != nil {
		e.AutoExplain = *explain
	}
	e.Pooled = pid != conn.PgConn().PID()
	for _, name := range databases {
		if d, err := examineDatabase(ctx, t, name); err == nil {
			e.Databases = append(e.Databases, d)
		}
	}
	return &e, nil
}

// platformOf tells a managed service by its roles, settings and functions.
func platformOf(roles, settings []string, aurora bool) Platform {
	has := func(list []string, name string) bool { return slices.Contains(list, name) }
	switch {
	case aurora:
		return Aurora
	case has(roles, "rds_superuser") || has(roles, "rdsadmin") || has(settings, "rds.extensions"):
		return RDS
	case has(roles, "cloudsqlsuperuser") || has(roles, "cloudsqladmin") || has(settings, "cloudsql.iam_authentication"):
		return CloudSQL
	case has(roles, "azure_pg_admin") || has(roles, "azuresu") || has(settings, "azure.extensions"):
		return Azure
	}
	return ""
}

func examineDatabase(ctx context.Context, t pgvigil.Target, name string) (DatabaseRights, error) {
	d := DatabaseRights{Name: name}
	conn, err := Connect(ctx, t, name)
	if err != nil {
		return d, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, load("examine_database"), UsefulExtensions).Scan(&d.Offered, &d.Tables, &d.Hidden, &d.Writable, &d.MayMeasure)
	return d, err
}
