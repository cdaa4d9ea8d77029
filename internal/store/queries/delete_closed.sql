-- removes what was copied
DELETE FROM intervals_recent WHERE end_at < $1
