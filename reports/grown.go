package reports

import (
	"fmt"

	"github.com/pgvigil/pgvigil"
)

// tableRows is how many rows the tables of sizes and bloat show.
const tableRows = 20

// fewRows is how many rows of bloat are shown however small they are.
const fewRows = 5

// growthTable is "what grew" of one server.
type growthTable struct {
	Heading   string
	Databases bool // rows say theirs, since there are several
	Daily     bool // the window is long enough for rates
	Caption   string
	Rows      []growthRow
	Rest      string
}

type growthRow struct {
	Name    string // of a table; "" of several
	Several string // how many appeared together
	Note    string
	Parts   []partView
	Fewer   string // what of the parts is not shown
	Place   string
	Start   string
	End     string
	Change  string
	PerDay  string
	Indexes string
	TOAST   string
	Spark   spark
	Source  string
}

func (l layout) grown(s *Server) *growthTable {
	if len(s.Grown) == 0 {
		return nil
	}
	t := &growthTable{Heading: l.heading(s), Databases: several(s.Grown, func(g Growth) pgvigil.OID { return g.DBID })}
	first := s.Grown[0]
	t.Daily = finite(first.PerDay)
	t.Caption = fmt.Sprintf("Tables that appeared or whose size changed between %s and %s UTC, with their partitions, indexes and TOAST, largest change first.",
		l.clock.at(first.First).Text, l.clock.at(first.Last).Text)
	for _, g := range s.Grown[:min(tableRows, len(s.Grown))] {
		t.Rows = append(t.Rows, l.growthRow(s, g))
	}
	if rest := len(s.Grown) - len(t.Rows); rest > 0 {
		t.Rest = count(rest, "more table", "more tables") + " changed by less."
	}
	return t
}

func (l layout) growthRow(s *Server, g Growth) growthRow {
	row := growthRow{
		Name:    plain(g.Schema+"."+g.Name, maxName),
		Place:   plain(s.database(g.DBID), maxName),
		Start:   size(g.Start),
		End:     size(g.End),
		Change:  signedSize(float64(g.End - g.Start)),
		PerDay:  signedSize(g.PerDay),
		Indexes: size(g.Indexes),
		TOAST:   size(g.TOAST),
		Source:  fmt.Sprintf("main forks, table relation_sizes of the history, %s to %s UTC", l.clock.at(g.First).Text, l.clock.at(g.Last).Text),
	}
	row.Note = list(l.growthNotes(g))
	row.Parts, row.Fewer = partViews(g)
	if g.Tables > 0 {
		row.Name, row.Several = "", count(g.Tables, "table", "tables")+" appeared in database "+row.Place
	}
	values := make([]float64, len(g.Sizes))
	for i, b := range g.Sizes {
		values[i] = float64(b)
	}
	row.Spark = sparkOf(values, false, byteSize)
	row.Spark.Alt = "Size " + row.Spark.Alt
	return row
}

// growthNotes say what a row adds up, and what of it is new.
func (l layout) growthNotes(g Growth) (notes []string) {
	if g.Tables > 0 {
		return []string{"from " + l.clock.at(g.Born).Text + " UTC on, the largest " + plain(list(g.Largest), maxSentence)}
	}
	if g.Partitions > 0 {
		notes = append(notes, count(g.Partitions, "partition", "partitions"))
	}
	if !g.Born.IsZero() {
		notes = append(notes, "new, since "+l.clock.at(g.Born).Text+" UTC")
	}
	return notes
}

// bloatTable is the bloat of one server.
type bloatTable struct {
	Heading   string
	Databases bool
	Caption   string
	Rows      []bloatRow
	Rest      string
}

type bloatRow struct {
	Name   string
	Kind   string
	Place  string
	Size   string
	Share  string
	Width  string
	Free   string
	Method string
	Error  string
	Known  bool
}

func (l layout) bloated(s *Server) *bloatTable {
	if len(s.Bloated) == 0 {
		return nil
	}
	t := &bloatTable{Heading: l.heading(s), Databases: several(s.Bloated, func(b Bloat) pgvigil.OID { return b.DBID })}
	known, free := 0, pgvigil.Bytes(0)
	for _, b := range s.Bloated {
		if b.Estimate != nil {
			known++
			free += b.Estimate.Bytes
		}
		worth := b.Estimate == nil || b.Estimate.Bytes >= bloatFloor || len(t.Rows) < fewRows
		if worth && len(t.Rows) < tableRows {
			t.Rows = append(t.Rows, l.bloatRow(s, b))
		}
	}
	t.Caption = fmt.Sprintf("What a rewrite would free, of %s from %s up; %s in all where it is known.",
		count(len(s.Bloated), "table or index", "tables and indexes"), size(bloatFloor), size(free))
	if missing := len(s.Bloated) - known; missing > 0 {
		t.Caption += fmt.Sprintf(" For %s nothing is known, which is not the same as none.", thousands(float64(missing)))
	}
	if rest := len(s.Bloated) - len(t.Rows); rest > 0 {
		t.Rest = count(rest, "more relation has", "more relations have") + " less, or an unknown amount."
	}
	return t
}

func (l layout) bloatRow(s *Server, b Bloat) bloatRow {
	row := bloatRow{
		Name: plain(b.Schema+"."+b.Name, maxName), Kind: "table", Place: plain(s.database(b.DBID), maxName),
		Size: size(b.Size), Share: unknown, Free: unknown, Method: "\u2013", Error: "\u2013",
	}
	switch {
	case b.Index:
		row.Kind = "index"
	case b.TOAST:
		row.Kind = "TOAST of a table"
	}
	if e := b.Estimate; e != nil && finite(e.Share) {
		row.Known, row.Share, row.Width = true, percent(e.Share), percentOf(e.Share)
		row.Free, row.Method = size(e.Bytes), plain(e.Method, maxName)
		if !e.At.IsZero() {
			row.Method += ", " + l.clock.at(e.At).Text
		}
		row.Error = "\u00b1 " + significant(e.Error*100) + " points"
	}
	return row
}
