-- how many passes over a target failed within a span of our clock
SELECT count(*) FROM passes WHERE failed AND target = $1 AND passed_at > $2 AND passed_at <= $3
