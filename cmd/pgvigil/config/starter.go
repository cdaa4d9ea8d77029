package config

import (
	"fmt"
	"io"
	"strings"
)

// Init writes a commented starter file: every key with its default or an
// example, and the few that everybody sets ready to be changed. Load accepts it
// as it is.
func Init(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# The configuration of pgvigil. Keys that are commented out show their defaults or\n" +
		"# an example. A variable of the environment overrides each: PGVIGIL_HISTORY_PATH for\n" +
		"# history.path. pgvigil config check says what is wrong, pgvigil config show what holds.\n")
	for _, k := range root().kids {
		starter(&b, k, k.name, 0)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// starter writes a key and those below it. A section is commented out unless
// something in it is not.
func starter(b *strings.Builder, k *key, name string, depth int) {
	pad := strings.Repeat("  ", depth)
	b.WriteString("\n")
	for line := range strings.SplitSeq(wrap(k.doc, 88-len(pad)), "\n") {
		fmt.Fprintf(b, "%s# %s\n", pad, line)
	}
	switch {
	case k.isLeaf():
		value, mark := k.starter, ""
		if value == "" {
			value, mark = k.sample(), "# "
		}
		fmt.Fprintf(b, "%s%s%s: %s\n", pad, mark, name, value)
	case k.isMap() && k.kids[0].isLeaf():
		fmt.Fprintf(b, "%s# %s: %s\n", pad, name, k.example)
	case k.inherit != "" || !k.starts():
		fmt.Fprintf(b, "%s# %s:\n", pad, name)
		for _, kid := range k.kids {
			fmt.Fprintf(b, "%s#   %s: %s\n", pad, kid.name, kid.sample())
		}
	case k.isMap():
		fmt.Fprintf(b, "%s%s:\n%s  %s:\n", pad, name, pad, k.starter)
		for _, kid := range k.kids[0].kids {
			starter(b, kid, kid.name, depth+2)
		}
	default:
		fmt.Fprintf(b, "%s%s:\n", pad, name)
		for _, kid := range k.kids {
			starter(b, kid, kid.name, depth+1)
		}
	}
}

// starts says that something in the section stands uncommented at the start.
func (k *key) starts() bool {
	found := false
	k.leaves(func(l *key) { found = found || l.starter != "" })
	return found
}

// sample is the value that a commented key shows.
func (k *key) sample() string {
	switch {
	case k.def != "":
		return k.def
	case k.example != "":
		return k.example
	}
	return "..."
}

// wrap breaks text into lines of at most width bytes, between words.
func wrap(text string, width int) string {
	var b strings.Builder
	at := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case at+1+len(word) > width:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
