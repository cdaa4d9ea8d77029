-- makes the space of moved rows reusable and refreshes statistics
VACUUM (ANALYZE) intervals_recent, intervals_closed, relation_intervals, relation_sizes, session_samples, passes, statements
