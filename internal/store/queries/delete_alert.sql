-- makes room for the alert as it is now
DELETE FROM alerts WHERE id = $1
