-- intervals with a counter that is negative or no number
SELECT count(*) FROM :intervals i WHERE :bad_metrics
