package query

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgvigil/pgvigil/query/internal/lex"
)

// masks say, by offset, what the tree knows of tokens and the tokens do not.
type masks struct {
	// hide are words that stand for constants: TRUE, or foo in SET x = foo.
	hide map[int32]bool
	// keep are numbers that are no constants: places in ORDER BY and GROUP BY,
	// and lengths of types.
	keep map[int32]bool
}

// normal returns the text with its constants as $1, $2, ... in order of
// appearance. Parameters that the text has itself take part in the count. It
// stops soon behind limit bytes.
func normal(t sql, m masks, limit int) string {
	var b strings.Builder
	b.Grow(min(len(t.src), limit+1))
	params := numbering{}
	for i, tok := range t.folded {
		if b.Len() > limit {
			break
		}
		if i > 0 && needsSpace(t.src, t.folded[i-1], tok) {
			b.WriteByte(' ')
		}
		switch start := int32(tok.Start); {
		case tok.Kind == lex.Param:
			b.WriteString(params.of(tok.Text(t.src)))
		case tok.Kind == lex.Number && m.keep[start]:
			b.WriteString(tok.Text(t.src))
		case tok.Kind == lex.String, tok.Kind == lex.Number, tok.Kind == lex.Bad, (tok.Kind == lex.Word || tok.Kind == lex.Quoted) && m.hide[start]:
			b.WriteString(params.fresh())
		default:
			b.WriteString(tok.Text(t.src))
		}
	}
	return b.String()
}

// numbering gives parameters their new numbers.
type numbering struct {
	last  int
	names map[string]string
}

func (n *numbering) fresh() string {
	n.last++
	return "$" + strconv.Itoa(n.last)
}

func (n *numbering) of(old string) string {
	if n.names == nil {
		n.names = map[string]string{}
	}
	if n.names[old] == "" {
		n.names[old] = n.fresh()
	}
	return n.names[old]
}

// masksOf finds the constants of a tree by their locations.
func masksOf(tree *pg.ParseResult) masks {
	m := masks{hide: map[int32]bool{}, keep: map[int32]bool{}}
	m.message(tree.ProtoReflect())
	return m
}

func (m masks) message(msg protoreflect.Message) {
	if c, ok := msg.Interface().(*pg.A_Const); ok {
		m.hide[c.GetLocation()] = true
		return
	}
	if m.special(msg) {
		return
	}
	for _, f := range planOf(msg.Descriptor()).children {
		if !msg.Has(f) {
			continue
		}
		if !f.IsList() {
			m.message(msg.Get(f).Message())
			continue
		}
		for list, i := msg.Get(f).List(), 0; i < list.Len(); i++ {
			m.message(list.Get(i).Message())
		}
	}
}

// special notes the numbers that are to stay; true when msg is done with.
func (m masks) special(msg protoreflect.Message) bool {
	switch v := msg.Interface().(type) {
	case *pg.TypeName:
		m.keepAll(v.Typmods)
		m.keepAll(v.ArrayBounds)
		return true
	case *pg.SortBy:
		m.keepAll([]*pg.Node{v.Node})
	case *pg.SelectStmt:
		m.keepAll(v.GroupClause)
		m.keepAll(v.DistinctClause)
	case *pg.TransactionStmt:
		return true
	case *pg.VariableSetStmt:
		return v.Kind == pg.VariableSetKind_VAR_SET_MULTI
	}
	return false
}

func (m masks) keepAll(nodes []*pg.Node) {
	for _, n := range nodes {
		if c := n.GetAConst(); c.GetIval() != nil {
			m.keep[c.GetLocation()] = true
		}
	}
}
