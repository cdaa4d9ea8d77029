-- when the first interval ended that is not yet in order of statements
SELECT min(end_at) FROM intervals_recent
