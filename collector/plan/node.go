package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Node is one node of a plan as EXPLAIN (FORMAT JSON) writes it.
type Node struct {
	Type      string   `json:"Node Type"`
	Relation  string   `json:"Relation Name"`
	Schema    string   `json:"Schema"`
	Alias     string   `json:"Alias"`
	Index     string   `json:"Index Name"`
	Direction string   `json:"Scan Direction"`
	Strategy  string   `json:"Strategy"`
	Partial   string   `json:"Partial Mode"`
	Join      string   `json:"Join Type"`
	Command   string   `json:"Command"`
	Operation string   `json:"Operation"`
	Function  string   `json:"Function Name"`
	CTE       string   `json:"CTE Name"`
	Subplan   string   `json:"Subplan Name"`
	Parent    string   `json:"Parent Relationship"`
	Startup   float64  `json:"Startup Cost"`
	Total     float64  `json:"Total Cost"`
	Rows      float64  `json:"Plan Rows"`
	Width     float64  `json:"Plan Width"`
	Removed   float64  `json:"Subplans Removed"`
	Workers   float64  `json:"Workers Planned"`
	SortKey   []string `json:"Sort Key"`
	Presorted []string `json:"Presorted Key"`
	GroupKey  []string `json:"Group Key"`
	IndexCond string   `json:"Index Cond"`
	Recheck   string   `json:"Recheck Cond"`
	HashCond  string   `json:"Hash Cond"`
	MergeCond string   `json:"Merge Cond"`
	JoinCond  string   `json:"Join Filter"`
	TidCond   string   `json:"TID Cond"`
	CacheKey  string   `json:"Cache Key"`
	OneTime   string   `json:"One-Time Filter"`
	Filter    string   `json:"Filter"`
	Plans     []Node   `json:"Plans"`
}

// Tree is a plan with what stands beside it.
type Tree struct {
	Node
	// Settings are those that EXPLAIN (SETTINGS) named.
	Settings map[string]string
	// PlanningMS is the planning time, NaN if it was not shown.
	PlanningMS float64
	// Query is the text that auto_explain wrote beside it.
	Query string
}

// Bounds of what is read; a plan beyond them is refused.
const (
	maxBytes = 4 << 20
	maxDepth = 200
	maxNodes = 20_000
)

type document struct {
	Query    string            `json:"Query Text"`
	Plan     *Node             `json:"Plan"`
	Settings map[string]string `json:"Settings"`
	Planning *float64          `json:"Planning Time"`
}

// ReadJSON reads what EXPLAIN (FORMAT JSON) returns, a list of one plan, or
// what auto_explain logs, the plan alone.
func ReadJSON(b []byte) (Tree, error) {
	if len(b) > maxBytes {
		return Tree{}, fmt.Errorf("read a plan: it is longer than %d bytes", maxBytes)
	}
	var d document
	b = bytes.TrimSpace(b)
	if bytes.HasPrefix(b, []byte("[")) {
		var all []document
		if err := json.Unmarshal(b, &all); err != nil {
			return Tree{}, notJSON(err)
		}
		if len(all) != 1 {
			return Tree{}, fmt.Errorf("read a plan: there are %d", len(all))
		}
		d = all[0]
	} else if err := json.Unmarshal(b, &d); err != nil {
		return Tree{}, notJSON(err)
	}
	if d.Plan == nil {
		return Tree{}, errors.New("read a plan: there is none")
	}
	t := Tree{Node: *d.Plan, Settings: d.Settings, PlanningMS: math.NaN(), Query: d.Query}
	if d.Planning != nil {
		t.PlanningMS = *d.Planning
	}
	return t, t.bounded()
}

// notJSON drops what the decoder quotes of its input.
func notJSON(err error) error {
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("read a plan: it is no JSON at byte %d", bad.Offset)
	}
	return errors.New("read a plan: it is not in the form of EXPLAIN")
}

// bounded refuses trees that nobody could read, and repairs numbers.
func (n *Node) bounded() error {
	count := 0
	var walk func(n *Node, depth int) error
	walk = func(n *Node, depth int) error {
		if count++; count > maxNodes || depth > maxDepth {
			return errors.New("read a plan: it has too many nodes")
		}
		if n.Type == "" {
			return errors.New("read a plan: a node has no kind")
		}
		n.Type = strings.TrimSpace(n.Type)
		for i := range n.Plans {
			if err := walk(&n.Plans[i], depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(n, 0)
}

// Pruned says whether an append of the plan has lost all that it appends.
func (n *Node) Pruned() bool {
	if n.Removed > 0 && len(n.Plans) == 0 {
		return true
	}
	for i := range n.Plans {
		if n.Plans[i].Pruned() {
			return true
		}
	}
	return false
}
