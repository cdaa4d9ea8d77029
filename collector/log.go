package collector

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector/serverlog"
)

// logNote is the name of the place in the log among the notes.
const logNote = "log"

// logBytes is how much of a log one pass reads.
const logBytes = 8 << 20

// readLog reads what the server wrote to its log since the last pass. It comes
// after the visits: texts are described with the partitions that they found.
func (p *pass) readLog(ctx context.Context) error {
	if p.target.Log == "" {
		return nil
	}
	note, err := p.note(ctx, logNote)
	if err != nil {
		return err
	}
	var from serverlog.Place
	if json.Unmarshal(note, &from) != nil {
		from = serverlog.Place{} // nothing noted yet, or unreadable: begin anew
	}
	got, err := serverlog.Read(serverlog.Options{
		Pattern: p.target.Log, From: from, Prefix: p.setting("log_line_prefix"), Zone: p.logZone(), Now: p.Now(), MaxBytes: logBytes,
	})
	if err != nil {
		p.warn("log-unread", err.Error(), pgvigil.Advice(err))
		return nil
	}
	next, err := json.Marshal(got.Next)
	if err != nil {
		return err
	}
	p.remember(logNote, next)
	p.snap.Log = pgvigil.LogRead{
		OK: true, Format: got.Format.String(), Bytes: pgvigil.Bytes(got.Bytes), Entries: len(got.Records), Broken: got.Broken,
		Behind: pgvigil.Bytes(got.Behind), Skipped: pgvigil.Bytes(got.Skipped),
	}
	p.warnLog(got)
	d := newDigest(p)
	for i := range got.Records {
		if ctx.Err() != nil {
			break
		}
		d.take(&got.Records[i])
	}
	d.hand()
	return nil
}

// logZone is the zone of the log's times, nil if it is not known here.
func (p *pass) logZone() *time.Location {
	zone, err := time.LoadLocation(p.setting("log_timezone"))
	if err != nil {
		return nil
	}
	return zone
}

// warnLog says what is missing of the log.
func (p *pass) warnLog(got serverlog.Reading) {
	if got.Lost {
		p.warn("log-lost", "the file of the server's log that was read last is gone, and with it what it held since", "name its rotated files too, as in postgresql.log*")
	}
	if got.Skipped > 0 {
		p.warn("log-skipped", fmt.Sprintf("%d MB of the server's log were skipped: it grows faster than it is read", got.Skipped>>20), "")
	}
	language := p.setting("lc_messages")
	english := language == "" || language == "C" || language == "POSIX" || len(language) > 1 && language[:2] == "en"
	if !english && got.Format == serverlog.Text {
		p.warn("log-language", "the server's log is not in English, and a text log is understood in English alone",
			"ALTER SYSTEM SET lc_messages = 'C'; or log_destination = 'csvlog'")
	}
	if got.Broken > 0 && len(got.Records) == 0 {
		p.warn("log-foreign", fmt.Sprintf("none of %d lines of the server's log could be read: log_line_prefix may have changed, or it is another server's", got.Broken), "")
	}
}
