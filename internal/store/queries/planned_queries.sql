-- the queries that have plans
SELECT DISTINCT fingerprint FROM plans
