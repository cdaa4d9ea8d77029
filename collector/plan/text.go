package plan

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// nodeLine is a node as EXPLAIN's text shows it.
var nodeLine = regexp.MustCompile(`^( *)(->  )?(\S.*?)  \(cost=([0-9.]+)\.\.([0-9.]+) rows=([0-9]+) width=([0-9]+)\)`)

// ReadText reads a plan in EXPLAIN's text format, with or without the line
// "Query Text: ..." that auto_explain puts before it.
func ReadText(s string) (Tree, error) {
	if len(s) > maxBytes {
		return Tree{}, fmt.Errorf("read a plan: it is longer than %d bytes", maxBytes)
	}
	r := textReader{tree: Tree{PlanningMS: math.NaN()}}
	for line := range strings.Lines(s) {
		if err := r.line(strings.TrimRight(line, "\r\n")); err != nil {
			return Tree{}, err
		}
	}
	if r.root == nil {
		return Tree{}, errors.New("read a plan: there is none")
	}
	r.tree.Node = *r.root.node()
	r.tree.Query = strings.TrimSpace(r.query.String())
	return r.tree, r.tree.bounded()
}

// textNode is a node in the making, with the column in which its name begins.
type textNode struct {
	Node
	column int
	kids   []*textNode
}

func (t *textNode) node() *Node {
	for _, k := range t.kids {
		t.Plans = append(t.Plans, *k.node())
	}
	return &t.Node
}

type textReader struct {
	tree    Tree
	query   strings.Builder
	inQuery bool
	root    *textNode
	stack   []*textNode
	subplan string // the name that the next node bears
	count   int
}

func (r *textReader) line(line string) error {
	if text, ok := strings.CutPrefix(line, "Query Text: "); ok && r.root == nil {
		r.inQuery = true
		r.query.WriteString(text)
		return nil
	}
	m := nodeLine.FindStringSubmatch(line)
	if m != nil && (r.root != nil) == (m[2] != "") {
		r.inQuery = false
		return r.node(m)
	}
	switch {
	case r.inQuery:
		r.query.WriteString("\n" + line)
	case r.root != nil:
		r.property(strings.TrimSpace(line))
	}
	return nil
}

func (r *textReader) node(m []string) error {
	if r.count++; r.count > maxNodes {
		return errors.New("read a plan: it has too many nodes")
	}
	n := &textNode{column: len(m[1]) + len(m[2])}
	n.Node = nodeOf(m[3])
	n.Subplan, r.subplan = r.subplan, ""
	for i, f := range []*float64{&n.Startup, &n.Total, &n.Rows, &n.Width} {
		*f, _ = strconv.ParseFloat(m[4+i], 64) // two dots would be 0, as if unknown
	}
	for len(r.stack) > 0 && r.stack[len(r.stack)-1].column >= n.column {
		r.stack = r.stack[:len(r.stack)-1]
	}
	switch {
	case r.root == nil:
		r.root = n
	case len(r.stack) == 0:
		return errors.New("read a plan: it has two roots")
	default:
		parent := r.stack[len(r.stack)-1]
		parent.kids = append(parent.kids, n)
	}
	if r.stack = append(r.stack, n); len(r.stack) > maxDepth {
		return errors.New("read a plan: it has too many nodes")
	}
	return nil
}

var subplanLine = regexp.MustCompile(`^(SubPlan \d+|InitPlan \d+|SubPlan|CTE \S+)( \(.*\))?$`)

// property takes what stands below a node.
func (r *textReader) property(line string) {
	if subplanLine.MatchString(line) {
		r.subplan = line
		return
	}
	name, value, ok := strings.Cut(line, ": ")
	if !ok || len(r.stack) == 0 {
		return
	}
	n := r.stack[len(r.stack)-1]
	if list := n.listOf(name); list != nil {
		*list = []string{value}
	}
	if text := n.textOf(name); text != nil {
		*text = value
	}
	switch name {
	case "Subplans Removed":
		n.Removed, _ = strconv.ParseFloat(value, 64)
	case "Workers Planned":
		n.Workers, _ = strconv.ParseFloat(value, 64)
	case "Settings":
		r.tree.Settings = settingsOf(value)
	}
}

func (n *textNode) listOf(name string) *[]string {
	return map[string]*[]string{"Sort Key": &n.SortKey, "Presorted Key": &n.Presorted, "Group Key": &n.GroupKey}[name]
}

func (n *textNode) textOf(name string) *string {
	return map[string]*string{
		"Index Cond": &n.IndexCond, "Recheck Cond": &n.Recheck, "Hash Cond": &n.HashCond, "Merge Cond": &n.MergeCond,
		"Join Filter": &n.JoinCond, "TID Cond": &n.TidCond, "Cache Key": &n.CacheKey, "One-Time Filter": &n.OneTime,
		"Filter": &n.Filter,
	}[name]
}

var settingPair = regexp.MustCompile(`([a-z_.]+) = '((?:[^']|'')*)'`)

func settingsOf(line string) map[string]string {
	out := map[string]string{}
	for _, m := range settingPair.FindAllStringSubmatch(line, -1) {
		out[m[1]] = m[2]
	}
	return out
}

// overTables are the nodes whose "on" names a table.
var overTables = []string{
	"Seq Scan", "Sample Scan", "Index Scan", "Index Scan Backward", "Index Only Scan", "Index Only Scan Backward",
	"Bitmap Heap Scan", "Tid Scan", "Tid Range Scan", "Foreign Scan", "Insert", "Update", "Delete", "Merge",
}

// nodeOf takes a node's line apart: "Index Scan using i on public.t alias".
func nodeOf(title string) Node {
	for _, prefix := range []string{"Async ", "Parallel "} {
		title = strings.TrimPrefix(title, prefix)
	}
	head, on, _ := strings.Cut(title, " on ")
	head, using, _ := strings.Cut(head, " using ")
	var n Node
	n.Index = unquote(using)
	words := splitName(on)
	switch {
	case head == "Bitmap Index Scan":
		n.Index = unquote(on)
	case slices.Contains(overTables, head) && len(words) > 0:
		n.Schema, n.Relation = qualified(words[0])
		n.Alias = alias(words)
	case head == "Function Scan" && len(words) > 0:
		_, n.Function = qualified(words[0])
		n.Alias = alias(words)
	case (head == "CTE Scan" || head == "WorkTable Scan") && len(words) > 0:
		n.CTE, n.Alias = unquote(words[0]), alias(words)
	case len(words) > 0:
		n.Alias = unquote(words[0])
	}
	setKind(&n, head)
	return n
}

var joins = regexp.MustCompile(`^(Hash|Merge|Nested Loop) ((?:\w+ )+)Join$`)

// setKind splits a kind as the text shows it into what JSON has.
func setKind(n *Node, head string) {
	if rest, ok := strings.CutSuffix(head, " Backward"); ok {
		head, n.Direction = rest, "Backward"
	}
	if m := joins.FindStringSubmatch(head); m != nil {
		n.Join = strings.TrimSpace(m[2])
		if head = m[1]; head != "Nested Loop" {
			head += " Join"
		}
	}
	for _, partial := range []string{"Partial ", "Finalize "} {
		if rest, ok := strings.CutPrefix(head, partial); ok {
			head, n.Partial = rest, strings.TrimSpace(partial)
		}
	}
	switch head {
	case "GroupAggregate":
		head, n.Strategy = "Aggregate", "Sorted"
	case "HashAggregate":
		head, n.Strategy = "Aggregate", "Hashed"
	case "MixedAggregate":
		head, n.Strategy = "Aggregate", "Mixed"
	case "Insert", "Update", "Delete", "Merge":
		head, n.Operation = "ModifyTable", head
	}
	if command, ok := strings.CutPrefix(head, "HashSetOp "); ok {
		head, n.Command, n.Strategy = "SetOp", command, "Hashed"
	} else if command, ok := strings.CutPrefix(head, "SetOp "); ok {
		head, n.Command = "SetOp", command
	}
	n.Type = head
}

var nameWord = regexp.MustCompile(`(?:"(?:[^"]|"")*"|[^\s".])+(?:\.(?:"(?:[^"]|"")*"|[^\s".])+)*`)

// splitName cuts "public.t alias" into its words, quotes kept.
func splitName(s string) []string { return nameWord.FindAllString(s, 3) }

func alias(words []string) string {
	if len(words) < 2 {
		return ""
	}
	return unquote(words[1])
}

// qualified cuts a name into schema and name.
func qualified(s string) (schema, name string) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '.' && !quoted:
			return unquote(s[:i]), unquote(s[i+1:])
		}
	}
	return "", unquote(s)
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return s
}
