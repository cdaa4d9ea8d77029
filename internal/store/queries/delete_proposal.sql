-- makes room for the proposal as it is now
DELETE FROM proposals WHERE id = $1
