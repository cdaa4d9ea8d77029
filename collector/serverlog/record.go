package serverlog

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Record is one entry of a log, with the text of anybody in it.
type Record struct {
	// Time is when it was written, zero if the log does not say.
	Time     time.Time
	PID      int
	User     string
	Database string
	App      string
	// Severity is LOG, ERROR, FATAL, ...
	Severity string
	// State is the SQLSTATE, "" if the log does not say.
	State     string
	Message   string
	Detail    string
	Context   string
	Statement string
	// QueryID is 0 if the log does not say.
	QueryID int64
}

// Format is how a log is written.
type Format uint8

// The formats.
const (
	Text Format = iota
	CSV
	JSON
)

func (f Format) String() string { return [...]string{"text", "csv", "json"}[f] }

// maxField bounds one field of a record, in bytes.
const maxField = 1 << 20

// clip cuts a field, and repairs what is no UTF-8.
func clip(s string) string {
	if len(s) > maxField {
		s = s[:maxField]
		for n := 0; n < utf8.UTFMax && len(s) > 0 && !utf8.RuneStart(s[len(s)-1]); n++ {
			s = s[:len(s)-1]
		}
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Parsed is what was read of a piece of a log.
type Parsed struct {
	Records []Record
	// Used is how many bytes of the piece are done with.
	Used int
	// Broken counts what was no record and was skipped.
	Broken int
}

// Parser reads pieces of a log of one format.
type Parser struct {
	format Format
	prefix *prefix
	zone   *time.Location
}

// NewParser returns a parser. prefix is log_line_prefix, which matters to text;
// zone is log_timezone, nil if it is not known.
func NewParser(format Format, linePrefix string, zone *time.Location) *Parser {
	return &Parser{format, compilePrefix(linePrefix), zone}
}

// Parse reads a piece of a log that begins with a record, or in the middle of
// one, which is skipped. last says that nothing will follow it: what would be
// left for later is taken as it is.
func (p *Parser) Parse(piece []byte, last bool) Parsed {
	switch p.format {
	case CSV:
		return p.csv(string(piece), last)
	case JSON:
		return p.json(string(piece), last)
	default:
		return p.text(string(piece), last)
	}
}
