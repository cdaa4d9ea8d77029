-- waits for other writers; the number is "pgvigil" in ASCII
SELECT pg_advisory_xact_lock(31638955663780204)
