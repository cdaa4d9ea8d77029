// Package interval turns snapshots into intervals: what each statement, table,
// index and database did between two visits of one server. It is the one place
// that knows incarnations, evictions, gaps and clock jumps. It is pure: the
// caller keeps the State, for example in the history.
//
// The rules, each with a test of its name:
//
//   - Nothing is ever negative, and nothing is ever counted twice. In doubt an
//     interval is a lower bound, flagged, or absent.
//   - The first snapshot of a server makes no interval. A key that is there now
//     and was not before did all of its work since (FirstSight); if entries were
//     evicted meanwhile, that is a lower bound.
//   - An entry with any counter below the last one was reset, or evicted and
//     entered again: what it shows now is what it did since (AfterReset). On
//     PostgreSQL 17 and later stats_since says so too.
//   - stats_reset moved: all entries count from zero, from that moment on.
//   - Another postmaster (a switch to a standby behind the same address) has
//     counters of its own: no interval crosses, and nothing is counted from zero.
//   - Statement counters and table counters are judged apart: an immediate stop
//     keeps the former and zeroes the latter.
//   - Intervals are measured by the server's clock. If it disagrees with ours by
//     more than ClockTolerance they are flagged ClockJump; if it ran backwards,
//     our clock's difference is taken.
//   - A metric that is NaN on either side is NaN: unknown, never zero.
package interval
