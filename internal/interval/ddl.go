package interval

import (
	"slices"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// changed reports what became of a table that was there before.
func (c *catalogDiff) changed(was, is *pgvigil.Table) {
	if name := is.Schema + "." + is.Name; was.Schema+"."+was.Name != name {
		c.event(pgvigil.Event{Kind: pgvigil.EventTableRenamed, Object: name, Table: is.Name, Before: was.Schema + "." + was.Name, After: name})
	}
	if !slices.Equal(was.Options, is.Options) {
		c.event(pgvigil.Event{
			Kind: pgvigil.EventTableChanged, Object: is.Schema + "." + is.Name, Table: is.Name,
			Before: words(was.Options), After: words(is.Options),
		})
	}
	if was.Parent != is.Parent {
		c.moved(was, is)
	}
}

func words(options []string) string {
	return strings.Join(slices.Sorted(slices.Values(options)), ", ")
}

// moved reports that a table became a partition, or ceased to be one.
func (c *catalogDiff) moved(was, is *pgvigil.Table) {
	e := pgvigil.Event{Object: is.Schema + "." + is.Name, Table: is.Name}
	if old := c.was[was.Parent]; was.Parent != 0 {
		e.Kind, e.Before = pgvigil.EventPartitionDetached, partitionOf(old, was)
		c.event(e)
	}
	if now := c.is[is.Parent]; is.Parent != 0 {
		e.Kind, e.Before, e.After = pgvigil.EventPartitionAttached, "", partitionOf(now, is)
		c.event(e)
	}
}

// partitionOf says what a table is a partition of.
func partitionOf(parent, part *pgvigil.Table) string {
	if parent == nil {
		return part.PartitionBound
	}
	of := "partition of " + parent.Schema + "." + parent.Name
	if part.PartitionBound != "" {
		of += " " + part.PartitionBound
	}
	return of
}

// retyped reports columns that changed their name, type or nullability.
func (c *catalogDiff) retyped(was, is *pgvigil.Table) {
	for _, col := range is.Columns {
		i := slices.IndexFunc(was.Columns, func(o pgvigil.Column) bool { return o.Num == col.Num })
		if i < 0 {
			continue
		}
		old := was.Columns[i]
		if before, after := columnWords(old, old.Name != col.Name), columnWords(col, old.Name != col.Name); before != after {
			c.late(pgvigil.Event{
				Kind: pgvigil.EventColumnChanged, Object: is.Schema + "." + is.Name + "." + col.Name, Table: is.Name,
				Before: before, After: after,
			})
		}
	}
}

func columnWords(col pgvigil.Column, named bool) string {
	s := col.Type
	if named {
		s = col.Name + " " + s
	}
	if col.NotNull {
		s += " not null"
	}
	return s
}

// constraintKey names a constraint of a database.
type constraintKey struct {
	table pgvigil.OID
	name  string
}

// constraints reports checks and foreign keys; keys have indexes, which are
// events of their own. Partitions follow their parent.
func (c *catalogDiff) constraints(was, is *pgvigil.DatabaseRead) {
	before, after := c.constraintsOf(was), c.constraintsOf(is)
	for i := range was.Constraints {
		k := &was.Constraints[i]
		key := constraintKey{k.TableID, k.Name}
		if old := before[key]; old == k && after[key] == nil {
			c.constraint(pgvigil.EventConstraintDropped, k)
		}
	}
	for i := range is.Constraints {
		k := &is.Constraints[i]
		key := constraintKey{k.TableID, k.Name}
		if after[key] != k {
			continue
		}
		switch old := before[key]; {
		case old == nil:
			c.constraint(pgvigil.EventConstraintCreated, k)
		case old.Def != k.Def && old.Validated == k.Validated && old.Def != "" && k.Def != "":
			c.constraint(pgvigil.EventConstraintDropped, old)
			c.constraint(pgvigil.EventConstraintCreated, k)
		case !old.Validated && k.Validated:
			c.constraint(pgvigil.EventConstraintValidated, k)
		}
	}
}

// constraintsOf returns the checks and foreign keys of tables that are there in
// both reads and are no partitions.
func (c *catalogDiff) constraintsOf(r *pgvigil.DatabaseRead) map[constraintKey]*pgvigil.Constraint {
	all := map[constraintKey]*pgvigil.Constraint{}
	for i := range r.Constraints {
		k := &r.Constraints[i]
		was, is := c.was[k.TableID], c.is[k.TableID]
		if was == nil || is == nil || was.Parent != 0 || is.Parent != 0 || k.Kind != "c" && k.Kind != "f" {
			continue
		}
		all[constraintKey{k.TableID, k.Name}] = k
	}
	return all
}

func (c *catalogDiff) constraint(kind pgvigil.EventKind, k *pgvigil.Constraint) {
	t := c.is[k.TableID]
	e := pgvigil.Event{Kind: kind, Object: t.Schema + "." + t.Name + "." + k.Name, Table: t.Name, After: k.Def}
	if kind == pgvigil.EventConstraintDropped {
		e.Before, e.After = k.Def, ""
	}
	c.late(e)
}

// extensions reports extensions that came, went or changed their version. A
// read without any is taken for one that could not be made: every database has
// plpgsql unless somebody dropped it.
func (c *catalogDiff) extensions(was, is *pgvigil.DatabaseRead) {
	if len(was.Extensions) == 0 || len(is.Extensions) == 0 {
		return
	}
	before := make(map[string]pgvigil.Extension, len(was.Extensions))
	for _, x := range was.Extensions {
		before[x.Name] = x
	}
	for _, x := range is.Extensions {
		old, known := before[x.Name]
		delete(before, x.Name)
		switch {
		case !known:
			c.late(pgvigil.Event{Kind: pgvigil.EventExtensionCreated, Object: x.Name, After: x.Version})
		case old.Version != x.Version:
			c.late(pgvigil.Event{Kind: pgvigil.EventExtensionUpdated, Object: x.Name, Before: old.Version, After: x.Version})
		}
	}
	for _, x := range was.Extensions {
		if _, left := before[x.Name]; left {
			c.late(pgvigil.Event{Kind: pgvigil.EventExtensionDropped, Object: x.Name, Before: x.Version})
		}
	}
}

// roles reports roles that came, went or got other rights. A pass that did not
// read them keeps those of the last one that did.
func (d *differ) roles() {
	d.next.Roles, d.next.RolesAt = d.snap.Roles, d.snap.At
	if len(d.snap.Roles) == 0 {
		d.next.Roles, d.next.RolesAt = d.prev.Roles, d.prev.RolesAt
		return
	}
	if len(d.prev.Roles) == 0 || d.lineage == first {
		return
	}
	note := func(kind pgvigil.EventKind, name, before, after string) {
		d.event(pgvigil.Event{Kind: kind, At: d.snap.At, Since: d.prev.RolesAt, Object: name, Before: before, After: after, Source: "catalog"})
	}
	before := make(map[string]string, len(d.prev.Roles))
	for _, r := range d.prev.Roles {
		before[r.Name] = r.Rights
	}
	for _, r := range d.snap.Roles {
		old, known := before[r.Name]
		delete(before, r.Name)
		switch {
		case !known:
			note(pgvigil.EventUserCreated, r.Name, "", r.Rights)
		case old != r.Rights:
			note(pgvigil.EventUserChanged, r.Name, old, r.Rights)
		}
	}
	for _, r := range d.prev.Roles {
		if rights, left := before[r.Name]; left {
			note(pgvigil.EventUserDropped, r.Name, rights, "")
		}
	}
}
