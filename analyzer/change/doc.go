// Package change says whether a series of statement costs left its baseline.
// It is pure: numbers in, verdicts out, no I/O, no clock, no randomness.
//
// A Detector judges all series of one server together, pass by pass. What it
// says at a pass rests on samples up to that pass alone, and every duration is
// counted in passes, so that ten-minute samples over four weeks and two-second
// samples over two minutes are judged by one set of thresholds.
//
// # How it judges
//
// The signal is x = ln(ms per call), never total time, so that traffic alone
// convicts nothing. Residuals from the baseline (level, hour of day, weekend)
// have the variance cv²/n of a mean of n calls plus the process noise of the
// series. The median residual of the server's other series, where it is
// positive, is the server's own trouble and is taken off each of them.
//
// The mean of the last k residuals is compared with the same statistic over
// the series' own past, which takes in autocorrelation. Two hypotheses must
// both be refuted before a series is convicted: noise (the shift against its
// measured scale) and a stall (a slowdown that ends by itself: evidence that
// one span of the usual length of a stall explains does not count). Work that
// moved with the time (blocks, temporary blocks, hit ratio, a catalog event on
// the table) speaks against both.
//
// Sources: the cumulative sum of Page (Biometrika 41, 1954); the median and
// MAD of Hampel (JASA 69, 1974); shrinkage of group means towards zero by their
// counts (Efron and Morris, JASA 70, 1975).
package change
