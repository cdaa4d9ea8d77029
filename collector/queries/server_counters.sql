-- one row: when the view began anew, and its counters
SELECT max(stats_reset), :metrics
FROM :view
