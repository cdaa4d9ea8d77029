package config

import (
	"cmp"
	"encoding"
	"fmt"
	"io"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/conninfo"
)

// Show writes the configuration in force as a file would have it, each value
// with its origin beside it. Secrets are REDACTED; a connection string is
// followed by what it says beside the password.
func (c *Config) Show(w io.Writer) error {
	s := shower{c: c}
	fmt.Fprintf(&s.out, "version: %d\n", c.Version)
	for _, k := range root().kids {
		if k.name != "version" {
			s.key(k, k.name, k.path, reflect.ValueOf(c).Elem())
		}
	}
	_, err := io.WriteString(w, s.out.String())
	return err
}

type shower struct {
	c   *Config
	out strings.Builder
}

// key writes the key k, found under its name in the section v.
func (s *shower) key(k *key, name, path string, v reflect.Value) {
	v = below(v, name)
	pad := strings.Repeat("  ", strings.Count(path, "."))
	if k.isLeaf() {
		if o, ok := s.c.origins[path]; ok {
			fmt.Fprintf(&s.out, "%s%s: %s%s  # %s\n", pad, name, show(v), s.connects(k, path, v), o)
		}
		return
	}
	if !s.has(path) {
		return
	}
	fmt.Fprintf(&s.out, "%s%s:\n", pad, name)
	if !k.isMap() {
		for _, kid := range k.kids {
			s.key(kid, kid.name, join(path, kid.name), v)
		}
		return
	}
	for _, n := range sortedNames(v) {
		s.key(k.kids[0], n, join(path, n), v)
	}
}

func sortedNames(m reflect.Value) []string {
	names := map[string]bool{}
	for _, n := range m.MapKeys() {
		names[n.String()] = true
	}
	return sortedKeys(names)
}

func (s *shower) has(path string) bool {
	for p := range s.c.origins {
		if strings.HasPrefix(p, path+".") {
			return true
		}
	}
	return false
}

// connects says where a connection string leads.
func (s *shower) connects(k *key, path string, v reflect.Value) string {
	text, ok := reflect.TypeAssert[pgvigil.Secret](v)
	if !ok || k.name != "dsn" {
		return ""
	}
	d, err := conninfo.Parse(text)
	if err != nil {
		return ""
	}
	said := map[string]string{"host": d.Param("host"), "user": d.Param("user"), "dbname": d.Param("dbname"), "sslmode": d.Mode(s.c.passwords.getenv)}
	if strings.HasPrefix(path, "targets.") {
		said["sslmode"] = cmp.Or(s.c.Targets[strings.Split(path, ".")[1]].SSLMode, said["sslmode"])
	}
	var b strings.Builder
	for _, name := range []string{"host", "user", "dbname", "sslmode"} {
		if said[name] != "" {
			fmt.Fprintf(&b, " %s=%s", name, clip(said[name]))
		}
	}
	return "  #" + b.String()
}

// below returns the value under a YAML name in a struct or map.
func below(v reflect.Value, name string) reflect.Value {
	if v.Kind() == reflect.Map {
		return v.MapIndex(reflect.ValueOf(name))
	}
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// show writes one value as YAML on one line.
func show(v reflect.Value) string {
	if m, ok := reflect.TypeAssert[encoding.TextMarshaler](v); ok {
		b, err := m.MarshalText()
		if err != nil {
			return ""
		}
		return string(b)
	}
	n := &yaml.Node{}
	if err := n.Encode(v.Interface()); err != nil {
		return ""
	}
	n.Style |= yaml.FlowStyle
	if n.Kind == yaml.ScalarNode && strings.ContainsAny(n.Value, "\r\n") {
		n.Style = yaml.DoubleQuotedStyle
	}
	b, err := yaml.Marshal(n)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(b), "\n", " "))
}
