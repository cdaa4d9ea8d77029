package serverlog

import (
	"encoding/json"
	"strings"
)

// jsonRecord is a line of jsonlog, as far as it is read.
type jsonRecord struct {
	Timestamp string `json:"timestamp"`
	User      string `json:"user"`
	Database  string `json:"dbname"`
	PID       int    `json:"pid"`
	Severity  string `json:"error_severity"`
	State     string `json:"state_code"`
	Message   string `json:"message"`
	Detail    string `json:"detail"`
	Context   string `json:"context"`
	Statement string `json:"statement"`
	App       string `json:"application_name"`
	QueryID   int64  `json:"query_id"`
}

// maxLine bounds a line of JSON, in bytes; longer ones are skipped.
const maxLine = 4 << 20

func (p *Parser) json(piece string, last bool) (out Parsed) {
	for out.Used < len(piece) {
		rest := piece[out.Used:]
		end := strings.IndexByte(rest, '\n')
		if end < 0 && !last {
			return out
		}
		n := lineEnd(rest, end)
		out.Used += n
		line := strings.TrimSpace(rest[:n])
		if line == "" {
			continue
		}
		var j jsonRecord
		if len(line) > maxLine || json.Unmarshal([]byte(line), &j) != nil || j.Severity == "" {
			out.Broken++
			continue
		}
		out.Records = append(out.Records, Record{
			Time: p.when(j.Timestamp), PID: j.PID, User: clip(j.User), Database: clip(j.Database), App: clip(j.App),
			Severity: clip(j.Severity), State: clip(j.State), Message: clip(j.Message), Detail: clip(j.Detail),
			Context: clip(j.Context), Statement: clip(j.Statement), QueryID: j.QueryID,
		})
	}
	return out
}
