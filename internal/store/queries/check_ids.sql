-- numbers that are there twice
SELECT (SELECT count(*) - count(DISTINCT id) FROM passes) + (SELECT count(*) - count(DISTINCT id) FROM statements)
    + (SELECT count(*) - count(DISTINCT id) FROM servers) + (SELECT count(*) - count(DISTINCT id) FROM events)
    + (SELECT count(*) - count(DISTINCT id) FROM alerts) + (SELECT count(*) - count(DISTINCT id) FROM proposals)
