package collector

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgvigil/pgvigil"
)

// reply is what the server says of its entries.
type reply struct {
	at   time.Time
	read pgvigil.StatementsRead // without List
	// list holds the entries that are not as they were, states their states.
	list   []pgvigil.Statement
	states []int64
	// stale are the indices of known states that no entry is in any more.
	stale []int
	// hidden counts the entries of roles whose statements we may not see.
	hidden int
}

// errShape says that a result is not what its query returns.
var errShape = errors.New("the server's answer has another shape than was asked for")

// readInfo reads what is known of all entries together, and the server's clock.
func (r *reply) readInfo(rows *pgconn.ResultReader) error {
	if !rows.NextRow() {
		return nil // Close tells why
	}
	v, types := rows.Values(), pgtype.NewMap()
	if len(v) != 4 {
		return errShape
	}
	var at time.Time
	var dealloc *int64
	var reset *time.Time
	var limit *string
	for i, dst := range []any{&at, &dealloc, &reset, &limit} {
		if err := types.Scan(rows.FieldDescriptions()[i].DataTypeOID, pgtype.BinaryFormatCode, v[i], dst); err != nil {
			return err
		}
	}
	r.at, r.read.Dealloc, r.read.Reset = at.UTC(), -1, utc(reset)
	if dealloc != nil {
		r.read.Dealloc = *dealloc
	}
	if limit != nil {
		r.read.Max = leadingInt(*limit)
	}
	return nil
}

// keyColumns is how many columns of statementsSQL are before the metrics.
const keyColumns = 7

// readEntries reads the rows of statementsSQL. Entries without a queryid belong
// to roles whose statements are hidden from us; they are counted.
func (r *reply) readEntries(rows *pgconn.ResultReader, metrics []pgvigil.Metric) error {
	fields := rows.FieldDescriptions()
	if len(fields) != keyColumns+len(metrics) {
		return errShape
	}
	unknown := pgvigil.Counters{}
	for i := range unknown {
		unknown[i] = math.NaN()
	}
	for rows.NextRow() {
		row := values{fields: fields, raw: rows.Values()}
		switch {
		case row.raw[0] != nil:
			r.stale = append(r.stale, int(row.integer(0))-1)
		case row.raw[4] == nil:
			r.hidden++
		default:
			r.states = append(r.states, row.integer(1))
			r.list = append(r.list, row.statement(metrics, unknown))
		}
		if row.err != nil {
			return fmt.Errorf("decode an entry: %w", row.err)
		}
	}
	return nil
}

// values is one row in binary form. The first value that cannot be read leaves
// its error.
type values struct {
	fields []pgconn.FieldDescription
	raw    [][]byte
	err    error
}

// statement returns the entry of a row, its counters beyond metrics unknown.
func (v *values) statement(metrics []pgvigil.Metric, unknown pgvigil.Counters) pgvigil.Statement {
	st := pgvigil.Statement{Counters: unknown, Key: pgvigil.StatementKey{
		UserID:   pgvigil.OID(v.integer(2)),
		DBID:     pgvigil.OID(v.integer(3)),
		QueryID:  v.integer(4),
		TopLevel: v.integer(5) == 1,
	}}
	if since := v.number(6); since > 0 {
		st.Since = time.UnixMicro(int64(math.Round(since * 1e6))).UTC()
	}
	c := &st.Counters
	for i, m := range metrics {
		c[m] = v.number(keyColumns + i)
	}
	c[pgvigil.ExecSqMS] = pgvigil.SumOfSquares(c[pgvigil.Calls], c[pgvigil.ExecMS], c[pgvigil.ExecSqMS])
	return st
}

// integer decodes bool, oid and bigint.
func (v *values) integer(i int) int64 {
	switch b := v.raw[i]; len(b) {
	case 1:
		return int64(b[0])
	case 4:
		return int64(binary.BigEndian.Uint32(b))
	case 8:
		return int64(binary.BigEndian.Uint64(b))
	}
	v.err = errors.Join(v.err, errShape)
	return 0
}

// number decodes a counter; NULL stands for zero.
func (v *values) number(i int) float64 {
	b := v.raw[i]
	if b == nil {
		return 0
	}
	switch v.fields[i].DataTypeOID {
	case pgtype.Int8OID:
		return float64(v.integer(i))
	case pgtype.Float8OID:
		return math.Float64frombits(uint64(v.integer(i)))
	case pgtype.NumericOID:
		return v.numeric(b)
	}
	v.err = errors.Join(v.err, errShape)
	return 0
}

// numeric decodes a whole, positive numeric: count of digits, weight of the
// first one, sign and scale, then the digits to the base of 10,000.
// Source: PostgreSQL, numeric_send.
func (v *values) numeric(b []byte) float64 {
	if len(b) < 8 || len(b) != 8+2*int(binary.BigEndian.Uint16(b)) || binary.BigEndian.Uint16(b[4:]) != 0 {
		v.err = errors.Join(v.err, errShape)
		return 0
	}
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	sum := 0.0
	for digits := b[8:]; len(digits) > 0; digits = digits[2:] {
		sum += float64(binary.BigEndian.Uint16(digits)) * math.Pow(10_000, float64(weight))
		weight--
	}
	return sum
}
