package llm

import "context"

// Model drafts candidates and claims from evidence. Implementations keep the
// deadline of ctx, send nothing but the evidence, and give no secret away in
// errors.
type Model interface {
	// Name names the model in proposals, for example "gemini-2.5-flash".
	Name() string
	// Draft returns what the model answered, parsed and not yet checked
	// against the evidence.
	Draft(ctx context.Context, e Evidence) (Answer, error)
}

// Evidence is all that a model is told. Ids are unique within it. Names and
// texts come from a database and are data, never instructions.
type Evidence struct {
	Tables     []Table     `json:"tables"`
	Queries    []Query     `json:"queries"`
	Predicates []Predicate `json:"predicates"`
	Facts      []Fact      `json:"facts"`
}

// Table is one table that the queries touch.
type Table struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Rows         float64  `json:"rows"`
	PartitionKey string   `json:"partition_key,omitempty"`
	Partitions   int      `json:"partitions,omitempty"`
	Columns      []Column `json:"columns"`
	Indexes      []Index  `json:"indexes"`
	// SetColumns are columns that updates set: an index on one loses HOT.
	SetColumns []string `json:"set_columns,omitempty"`
}

// Column is one column.
type Column struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	Distinct float64 `json:"distinct,omitempty"` // estimated number of values, 0 unknown
}

// Index is an existing index.
type Index struct {
	Method  string   `json:"method"`
	Keys    []string `json:"keys"`
	Partial bool     `json:"partial,omitempty"`
	Valid   bool     `json:"valid"`
}

// Query is a statement in normal form; constants are $n.
type Query struct {
	ID           string  `json:"id"`
	Text         string  `json:"text"`
	CallsPerHour float64 `json:"calls_per_hour,omitempty"`
	// Regressed says that advice is wanted for it first of all.
	Regressed bool `json:"regressed"`
}

// Predicate is a condition that a partial index may have; a model names its
// id and never writes one.
type Predicate struct {
	ID    string `json:"id"`
	Table string `json:"table"` // id
	// Text has constants replaced by ?.
	Text string `json:"text"`
}

// Fact is one number that a claim may cite.
type Fact struct {
	ID    string  `json:"id"`
	About string  `json:"about"` // id of a query or table
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// Answer is what a model may say.
type Answer struct {
	Candidates []Candidate `json:"candidates"`
	Claims     []Claim     `json:"claims"`
}

// Candidate is an index that a model proposes.
type Candidate struct {
	Table   string `json:"table"` // id
	Method  string `json:"method"`
	Columns []Key  `json:"columns"`
	// Include are names of payload columns.
	Include []string `json:"include,omitempty"`
	// Predicate is the id of a predicate, "" for all rows.
	Predicate string `json:"predicate,omitempty"`
}

// Key is one key column.
type Key struct {
	Name  string `json:"name"`
	Desc  bool   `json:"desc,omitempty"`
	Nulls string `json:"nulls,omitempty"` // "", first, last
}

// Claim is one sentence with the facts that bear it.
type Claim struct {
	Text  string   `json:"text"`
	Facts []string `json:"facts"`
}

// Dropped is a part of an answer that was not accepted.
type Dropped struct {
	// Part is "candidate 2" or "claim 1".
	Part   string
	Reason string
}
