package collector

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// sighting is one session as one sample saw it.
type sighting struct {
	pid         int
	dbid        pgvigil.OID
	user        pgvigil.OID
	application string
	state       string
	waitType    string
	waitEvent   string
	text        phrase
	xactStart   time.Time
	queryStart  time.Time
	stateChange time.Time
	backend     string // backend_type
}

const clientBackend = "client backend"

// idle is the state of a session that does nothing, outside of a transaction.
const idle = "idle"

// ours says whether the session is one of pgvigil's.
func (x *sighting) ours() bool { return x.application == applicationName }

// sample reads the sessions once and takes account of them.
func (s *sampler) sample(ctx context.Context, conn *pgx.Conn) error {
	return s.within(ctx, conn, func(ctx context.Context) error {
		began := time.Now()
		list, clock, err := s.readSample(ctx, conn)
		if err != nil {
			s.budget.spend(time.Now(), time.Since(began))
			return fmt.Errorf("sample sessions: %w", err)
		}
		s.budget.spend(time.Now(), clock.cost)
		if err := s.readPhrases(ctx, conn, list); err != nil {
			return err
		}
		s.tally.add(list, clock)
		return s.readTree(ctx, conn, list, clock.at)
	})
}

// sampleClock is when a sample was taken, by the server's clock, and how long
// the server worked on it.
type sampleClock struct {
	at   time.Time
	cost time.Duration
}

// readSample reads the sessions that do something, and those that ended a call
// since the last sample.
func (s *sampler) readSample(ctx context.Context, conn *pgx.Conn) (list []sighting, clock sampleClock, err error) {
	since := binary.BigEndian.AppendUint64(nil, uint64(s.last.Sub(pgEpoch).Microseconds()))
	if s.last.IsZero() {
		since = nil
	}
	r := conn.PgConn().ExecPrepared(ctx, sampleQuery, [][]byte{since}, binaryFormat, binaryFormat)
	for r.NextRow() {
		x, err2 := s.scanSighting(r.Values())
		err = errors.Join(err, err2)
		if x.pid == 0 {
			clock = sampleClock{x.stateChange, x.stateChange.Sub(x.queryStart)}
			continue
		}
		list = append(list, x)
	}
	if _, err2 := r.Close(); err2 != nil {
		return nil, clock, err2
	}
	if err == nil && clock.at.IsZero() {
		err = errors.New("the clock is missing")
	}
	s.last = clock.at
	return list, clock, err
}

var binaryFormat = []int16{1}

// pgEpoch is the zero of times in the binary format.
var pgEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// scanSighting decodes a row of sample.sql.
func (s *sampler) scanSighting(raw [][]byte) (sighting, error) {
	if len(raw) != 13 {
		return sighting{}, fmt.Errorf("decode a session: %d columns", len(raw))
	}
	d := decoder{words: s.tally.words, labels: s.tally.labels}
	x := sighting{
		pid: int(d.int32(raw[0])), dbid: pgvigil.OID(d.int32(raw[1])), user: pgvigil.OID(d.int32(raw[2])),
		application: d.label(raw[3]), state: d.word(raw[4]), waitType: d.word(raw[5]), waitEvent: d.word(raw[6]),
		xactStart: d.time(raw[9]), queryStart: d.time(raw[10]), stateChange: d.time(raw[11]), backend: d.word(raw[12]),
	}
	x.text = d.phrase(x.dbid, raw[7], raw[8])
	return x, d.err
}

// decoder reads values of the binary format.
type decoder struct {
	words  map[string]string // few and repeated in every sample
	labels map[string]string // masked, by what the program gave itself
	err    error
}

func (d *decoder) int32(b []byte) uint32 {
	switch len(b) {
	case 4:
		return binary.BigEndian.Uint32(b)
	case 0:
		return 0
	}
	d.err = fmt.Errorf("decode a number: %d bytes", len(b))
	return 0
}

func (d *decoder) int64(b []byte) int64 {
	switch len(b) {
	case 8:
		return int64(binary.BigEndian.Uint64(b))
	case 0:
		return 0
	}
	d.err = fmt.Errorf("decode a number: %d bytes", len(b))
	return 0
}

func (d *decoder) time(b []byte) time.Time {
	if b == nil {
		return time.Time{}
	}
	return pgEpoch.Add(time.Duration(d.int64(b)) * time.Microsecond)
}

// maxWords bounds the words remembered: application names are anybody's.
const maxWords = 4096

func (d *decoder) word(b []byte) string {
	return recall(d.words, b, func(s string) string { return s })
}

// label is the name that a program gave itself, without what looks generated.
func (d *decoder) label(b []byte) string { return recall(d.labels, b, query.MaskLabel) }

// recall returns what make gives for b, from memory if it was asked before.
func recall(memory map[string]string, b []byte, make func(string) string) string {
	if w, ok := memory[string(b)]; ok {
		return w
	}
	if len(memory) >= maxWords {
		clear(memory)
	}
	s := string(b)
	memory[s] = make(s)
	return memory[s]
}

// phrase tells a text by its query id, or by its hash where the server has none.
func (d *decoder) phrase(db pgvigil.OID, id, hash []byte) phrase {
	if id == nil {
		return phrase{db: db, hash: d.int64(hash)}
	}
	return phrase{db: db, queryID: d.int64(id)}
}
