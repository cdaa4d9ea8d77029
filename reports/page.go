package reports

import (
	"html/template"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// page is a report as the template takes it: words and numbers ready to be
// set. All foreign text in it went through quote or plain.
type page struct {
	Title     string
	Window    string
	Targets   string
	Generated moment
	Version   string
	Headline  []string
	Tiles     []tile
	Nav       []navItem

	Empty     bool // no server at all, or no pass in the window
	Slower    slowerSection
	Ahead     []aheadTable
	Loads     []loadTable
	Course    []courseTable
	Grown     []growthTable
	Bloated   []bloatTable
	Proposals []proposalView
	Timeline  timelineSection
	Trust     []trustView
	Queries   []queryView // each that a table names, once
	Commands  []command

	// Own files and what admits them.
	Policy string
	Style  template.CSS
	Script template.JS
	Charts template.JS // ECharts; "" without
}

// tile is one number at the top of the page.
type tile struct {
	Label string
	Value string
	Note  string
	Link  string
	Tone  tone
}

// tone is the weight of a word, which the style colours: the word itself
// carries the meaning.
type tone string

const (
	toneNone tone = ""
	toneBad  tone = "bad"
	toneWarn tone = "warn"
	toneGood tone = "good"
	toneMute tone = "mute"
)

// badge is a short word with a tone.
type badge struct {
	Text string
	Tone tone
}

// word makes a badge of a word that the history keeps.
func word[T ~string](w T, t tone) badge { return badge{plain(string(w), 40), t} }

// fact is a labelled value.
type fact struct {
	Label string
	Value string
	Note  string
	Tone  tone
}

type navItem struct {
	ID   string
	Text string
	N    string // how many things the section lists, "" for none
}

// command is how to get a number oneself.
type command struct {
	What string
	Line string
}

// warningView is a doubt with what would remove it.
type warningView struct {
	Text   string
	Remedy string
}

func warningsOf(list []pgvigil.Warning) []warningView {
	var views []warningView
	for _, w := range list {
		views = append(views, warningView{plain(w.Text, maxSentence), quote(w.Remedy, maxSentence).Text})
	}
	return views
}

// layout turns one report into a page.
type layout struct {
	*Report
	clock clock
}

// pageOf lays a report out.
func pageOf(r *Report) page {
	l := layout{r, clockOf(r.Window)}
	p := page{
		Title: plain(r.Title, maxName), Window: l.clock.window(r.Window), Targets: l.targets(),
		Generated: clock{seconds: true}.at(r.Generated), Version: plain(r.Version, maxName),
		Empty:     l.empty(),
		Slower:    l.slower(),
		Proposals: l.proposals(),
		Timeline:  l.timeline(),
	}
	for i := range r.Servers {
		s := &r.Servers[i]
		p.Ahead = appendSome(p.Ahead, l.ahead(s))
		p.Course = appendSome(p.Course, l.course(s))
		p.Loads = appendSome(p.Loads, l.loads(s))
		p.Grown = appendSome(p.Grown, l.grown(s))
		p.Bloated = appendSome(p.Bloated, l.bloated(s))
		p.Trust = append(p.Trust, l.trust(s))
	}
	p.Headline, p.Tiles = l.headline(), l.tiles()
	p.Queries = queriesOf(p)
	p.Nav = navOf(p)
	p.Commands = l.commands()
	return p
}

// appendSome appends v unless it is nil.
func appendSome[T any](list []T, v *T) []T {
	if v == nil {
		return list
	}
	return append(list, *v)
}

// empty says that no pass was taken in the window.
func (l layout) empty() bool {
	return !slices.ContainsFunc(l.Servers, func(s Server) bool {
		return s.Coverage.Passes > 0 || s.SeriesSeen > 0 || len(s.Slower) > 0
	})
}

func (l layout) targets() string {
	var names []string
	for _, s := range l.Servers {
		name := s.Info.Server.Target
		if s.Info.Server.Version != 0 {
			name += " (PostgreSQL " + s.Info.Server.Version.String() + ")"
		}
		names = append(names, name)
	}
	return plain(list(names), 4*maxName)
}

// place says where something is: its target when there are several, and its
// database.
func (l layout) place(target, database string) string {
	switch {
	case len(l.Servers) < 2 && database != "":
		return plain(database, maxName)
	case database == "":
		return plain(target, maxName)
	}
	return plain(target+" \u00b7 "+database, maxName)
}

// heading is the target's name over its table, "" where there is only one.
func (l layout) heading(s *Server) string {
	if len(l.Servers) < 2 {
		return ""
	}
	return plain(s.Info.Server.Target, maxName)
}

func navOf(p page) []navItem {
	n := func(n int) string {
		if n == 0 {
			return ""
		}
		return thousands(float64(n))
	}
	items := []navItem{{"summary", "Summary", ""}}
	if p.Empty {
		return append(items, navItem{"trust", "How far to trust this", ""})
	}
	return append(items,
		navItem{"slower", "What got slower", n(len(p.Slower.Alerts))},
		navItem{"ahead", "What will break", n(risksOf(p))},
		navItem{"loads", "Where the time goes", ""},
		navItem{"server", "How the server did", ""},
		navItem{"grown", "What grew", ""},
		navItem{"bloat", "Bloat", ""},
		navItem{"proposals", "Proposals", n(len(p.Proposals))},
		navItem{"timeline", "Incidents and events", n(len(p.Timeline.Incidents) + len(p.Timeline.Events))},
		navItem{"trust", "How far to trust this", ""},
		navItem{"queries", "The queries", n(len(p.Queries))})
}

// risksOf counts the rows of what will break.
func risksOf(p page) (n int) {
	for _, t := range p.Ahead {
		n += len(t.Rows)
	}
	return n
}

// queriesOf collects the queries that the page's tables name.
func queriesOf(p page) []queryView {
	var list []queryView
	seen := make(map[string]bool)
	add := func(q queryView) {
		if !seen[q.Fingerprint] {
			seen[q.Fingerprint] = true
			list = append(list, q)
		}
	}
	for _, t := range p.Loads {
		for _, row := range t.Rows {
			add(row.Query)
		}
	}
	for _, proposal := range p.Proposals {
		for _, row := range proposal.Queries {
			add(row.Query)
		}
	}
	for _, incident := range p.Timeline.Incidents {
		for _, q := range incident.Queries {
			add(q)
		}
	}
	return list
}

// queryView is a query with its text in a block that opens.
type queryView struct {
	Name        string
	Text        excerpt
	Fingerprint string
	Tags        []string
	Tables      string
	Notes       []string
}

// queryOf shows a query; q may know nothing but its fingerprint.
func queryOf(q pgvigil.Query, f pgvigil.Fingerprint) queryView {
	if q.Fingerprint == 0 {
		q.Fingerprint = f
	}
	v := queryView{Name: queryName(q), Text: quote(q.Text, maxStatement), Fingerprint: q.Fingerprint.String()}
	v.Tables = plain(list(q.Tables), maxSentence)
	for k, value := range q.Tags {
		v.Tags = append(v.Tags, plain(k, 40)+": "+plain(value, 80))
	}
	slices.Sort(v.Tags)
	switch {
	case q.Text == "":
		v.Notes = append(v.Notes, "The text is not known: the server had dropped it before it was read.")
	case q.Truncated:
		v.Notes = append(v.Notes, "The history keeps only the beginning of this text.")
	}
	if q.Method == pgvigil.ByScan {
		v.Notes = append(v.Notes, "The parser did not take this text; its fingerprint is made of its tokens.")
	}
	for _, w := range q.Warnings {
		v.Notes = append(v.Notes, plain(w.Text, maxSentence))
	}
	return v
}

// query finds what the part knows of a fingerprint.
func (s *Server) query(f pgvigil.Fingerprint) pgvigil.Query {
	q := s.Queries[f]
	q.Fingerprint = f
	return q
}
