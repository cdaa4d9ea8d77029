package serverlog

import (
	"strconv"
	"strings"
	"time"
)

// when reads a time as the server writes it, "2026-11-23 17:28:55.210 CET": in
// the zone of log_timezone, whose abbreviation alone does not tell it. It is
// zero if it cannot be told.
func (p *Parser) when(s string) time.Time {
	if len(s) > 40 {
		return time.Time{}
	}
	i := strings.LastIndexByte(s, ' ')
	if i < 11 {
		return p.local(s, p.zone)
	}
	return p.local(s[:i], p.zoneOf(s[i+1:]))
}

func (p *Parser) local(s string, zone *time.Location) time.Time {
	if zone == nil {
		return time.Time{}
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05.999999", s, zone)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// zoneOf returns the zone of an abbreviation or an offset such as -03 or
// +05:30, which Postgres writes where a zone has no abbreviation.
func (p *Parser) zoneOf(s string) *time.Location {
	switch s {
	case "UTC", "GMT", "Etc/UTC", "UCT":
		return time.UTC
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return p.zone
	}
	hours, minutes, _ := strings.Cut(s[1:], ":")
	h, err := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes) // "" is 0
	if err != nil || h > 15 || m > 59 || m < 0 {
		return p.zone
	}
	offset := h*3600 + m*60
	if s[0] == '-' {
		offset = -offset
	}
	return time.FixedZone(s, offset)
}

// epoch reads seconds since 1970 with milliseconds, as %n writes them.
func epoch(s string) time.Time {
	whole, millis, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || sec < 0 || sec > 1<<40 {
		return time.Time{}
	}
	ms, _ := strconv.ParseInt(millis, 10, 64) // "" is 0
	return time.UnixMilli(sec*1000 + max(0, min(ms, 999))).UTC()
}
