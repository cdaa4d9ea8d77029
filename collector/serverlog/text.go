package serverlog

import (
	"strconv"
	"strings"
)

// text reads lines behind log_line_prefix. Lines that begin with a tab go on
// with what stands above: the server puts one behind each line's end in
// anybody's text, so that nobody's text can begin a record.
func (p *Parser) text(piece string, last bool) Parsed {
	t := textReader{Parser: p, last: last}
	for t.at < len(piece) {
		end := strings.IndexByte(piece[t.at:], '\n')
		if end < 0 && !last {
			break
		}
		line := piece[t.at:]
		if end >= 0 {
			line = piece[t.at : t.at+end]
		}
		t.line(strings.TrimSuffix(line, "\r"))
		t.at = min(len(piece), t.at+len(line)+1)
	}
	if last {
		t.finish()
	}
	t.Used = t.begun
	if t.open == nil {
		t.Used = t.at
	}
	return t.Parsed
}

type textReader struct {
	*Parser
	Parsed
	last  bool
	at    int     // of the line at hand
	begun int     // where the open record begins
	open  *Record // that may go on
	into  *string // the field of it that may go on, nil if none is kept
	field strings.Builder
}

func (t *textReader) line(line string) {
	if rest, ok := strings.CutPrefix(line, "\t"); ok {
		t.goOn(rest)
		return
	}
	found, severity, rest, ok := t.prefix.match(line)
	switch {
	case !ok:
		// A line of somebody else's, or of a record that began earlier.
		if line != "" {
			t.finish()
			t.Broken++
		}
	case t.belongs(found, severity):
		t.to(t.open.part(severity), rest)
	default:
		t.finish()
		if t.isPart(severity) {
			t.Broken++ // the record that it belongs to is not here
			return
		}
		t.begin(found, severity, rest)
	}
}

func (t *textReader) isPart(severity string) bool { return new(Record).part(severity) != nil }

// belongs says whether a line is a part of the open record.
func (t *textReader) belongs(found map[string]string, severity string) bool {
	if t.open == nil || !t.isPart(severity) {
		return false
	}
	pid, err := strconv.Atoi(found["p"])
	return err != nil || pid == t.open.PID
}

// part returns the field that a line of a severity fills; nil for those that
// begin a record, and an unused one for what is not kept.
func (r *Record) part(severity string) *string {
	switch severity {
	case "DETAIL":
		return &r.Detail
	case "CONTEXT":
		return &r.Context
	case "STATEMENT":
		return &r.Statement
	case "HINT", "QUERY", "LOCATION", "BACKTRACE":
		return new(string)
	}
	return nil
}

func (t *textReader) begin(found map[string]string, severity, message string) {
	r := &Record{Severity: severity, User: clip(found["u"]), Database: clip(found["d"]), App: clip(found["a"]), State: found["e"]}
	r.PID, _ = strconv.Atoi(found["p"]) // 0 if the prefix has none
	r.QueryID, _ = strconv.ParseInt(found["Q"], 10, 64)
	switch {
	case found["m"] != "":
		r.Time = t.when(found["m"])
	case found["t"] != "":
		r.Time = t.when(found["t"])
	case found["n"] != "":
		r.Time = epoch(found["n"])
	}
	t.open, t.begun = r, t.at
	t.to(&r.Message, message)
}

// to ends a field and begins the next one.
func (t *textReader) to(field *string, text string) {
	if t.into != nil {
		*t.into = clip(t.field.String())
	}
	t.into = field
	t.field.Reset()
	t.field.WriteString(text)
}

func (t *textReader) goOn(text string) {
	switch {
	case t.open == nil:
		t.Broken++
	case t.field.Len() < maxField:
		t.field.WriteString("\n" + text)
	}
}

// finish closes the open record.
func (t *textReader) finish() {
	if t.open == nil {
		return
	}
	t.to(nil, "")
	t.Records = append(t.Records, *t.open)
	t.open = nil
}
