package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

const referenceHead = `# Configuration

<!-- Made from the Config struct by: go test ./cmd/pgvigil/config -update. Do not edit. -->

pgvigil reads one YAML file (--config FILE, or the variable PGVIGIL_CONFIG). What the file
does not say has a default; a variable of the environment overrides the file, a flag
overrides both.

* ` + "`pgvigil config init`" + ` writes a commented starter file, ` + "`check`" + ` says all that is wrong
  with a file, ` + "`show`" + ` prints what is in force and where each value came from. Secrets show as
  REDACTED.
* Unknown keys and unknown variables that begin with PGVIGIL_ are errors.
* The variable of a key is its path in upper case: PGVIGIL_HISTORY_PATH for history.path,
  PGVIGIL_TARGETS_CI_PASSWORD_FILE for targets.ci.password_file. A variable may change a
  target that the file names, and cannot add one. Lists are separated by commas, or written
  [a, b]. An empty variable counts as not set.
* A duration has a unit: ms, s, m, h, d (24 hours), w; for example 15s, 1h30m, 2d. A size
  has one too: B, kB, MB, GB, TB, counted in 1024 as Postgres does.
* Secrets are better kept out of the file: each has a key ending in _file and one ending in
  _env, and passwords may come from a command.
* Anchors, aliases and tags of YAML are not supported. Files are UTF-8, at most 1 MB.

The JSON schema of a file is in [config.schema.json](config.schema.json).
`

// Reference writes docs/configuration.md.
func Reference(w io.Writer) error {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, k := range root().kids {
		reference(&b, k)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// reference writes a section with a table of its keys, then those below it.
func reference(b *strings.Builder, k *key) {
	path := strings.ReplaceAll(k.path, "*", "NAME")
	switch {
	case k.isLeaf():
		fmt.Fprintf(b, "\n## %s\n\n%s\n", path, k.doc)
		return
	case k.isMap():
		reference(b, k.kids[0])
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n", path, k.doc)
	if k.inherit != "" {
		fmt.Fprintf(b, "Keys as in [%s](#%s).\n", k.inherit, k.inherit)
		return
	}
	b.WriteString("\n| key | value | default | what it is |\n|---|---|---|---|\n")
	var sections []*key
	for _, kid := range k.kids {
		if kid.isLeaf() || (kid.isMap() && kid.kids[0].isLeaf()) {
			fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", kid.name, kid.kind(), code(kid.def), kid.explain())
			continue
		}
		sections = append(sections, kid)
	}
	for _, s := range sections {
		reference(b, s)
	}
}

func (k *key) explain() string {
	text := strings.ReplaceAll(k.doc, "|", `\|`)
	if k.example != "" {
		text += " Example: " + code(strings.ReplaceAll(k.example, "|", `\|`))
	}
	return text
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// kind names the kind of value for people.
func (k *key) kind() string {
	switch {
	case k.isMap():
		return "mapping"
	case k.enum != nil:
		return strings.Join(k.enum, ", ")
	case k.isSecret():
		return "secret"
	case k.typ == reflect.TypeFor[Duration]():
		return "duration"
	case k.typ == reflect.TypeFor[Size]():
		return "size"
	case k.isList():
		return "list"
	case k.typ.Kind() == reflect.Bool:
		return "true, false"
	case k.typ.Kind() == reflect.Int:
		return "number"
	}
	return "text"
}
