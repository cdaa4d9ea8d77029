package config

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pgvigil/pgvigil"
)

// key is one node of the tree of keys, made from the Config struct.
type key struct {
	name    string // YAML name; "*" stands for any name in a map
	path    string // joined by dots from the root, "targets.*.host"
	typ     reflect.Type
	doc     string
	def     string // text of the default, "" none
	example string
	starter string
	inherit string // path of the section that fills what is missing here
	enum    []string
	kids    []*key // of a section, in order
}

// root is the tree of all keys.
var root = sync.OnceValue(func() *key {
	r := &key{typ: reflect.TypeFor[Config]()}
	r.grow()
	return r
})

func (k *key) grow() {
	switch {
	case k.isLeaf():
	case k.typ.Kind() == reflect.Map:
		k.kids = []*key{{name: "*", typ: k.typ.Elem(), path: join(k.path, "*"), doc: k.doc}}
		k.kids[0].grow()
	default:
		for f := range k.typ.Fields() {
			name := f.Tag.Get("yaml")
			if !f.IsExported() || name == "-" {
				continue
			}
			kid := &key{
				name: name, path: join(k.path, name), typ: f.Type,
				doc: f.Tag.Get("doc"), def: f.Tag.Get("default"), example: f.Tag.Get("example"),
				starter: f.Tag.Get("starter"), inherit: f.Tag.Get("inherit"),
			}
			if e := f.Tag.Get("enum"); e != "" {
				kid.enum = strings.Split(e, ",")
			}
			kid.grow()
			k.kids = append(k.kids, kid)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (k *key) isText() bool {
	return reflect.PointerTo(k.typ).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func (k *key) isSecret() bool { return k.typ == reflect.TypeFor[pgvigil.Secret]() }

func (k *key) isList() bool { return k.typ.Kind() == reflect.Slice }

// isLeaf says that the key has a value, not keys below it.
func (k *key) isLeaf() bool {
	return k.isText() || (k.typ.Kind() != reflect.Struct && k.typ.Kind() != reflect.Map)
}

// isMap says that any name may stand below the key.
func (k *key) isMap() bool { return len(k.kids) == 1 && k.kids[0].name == "*" }

// kid returns the key of that name below k, nil if there is none.
func (k *key) kid(name string) *key {
	if k.isMap() {
		return k.kids[0]
	}
	for _, c := range k.kids {
		if c.name == name {
			return c
		}
	}
	return nil
}

// find returns the key at a path of names, nil if there is none.
func (k *key) find(path string) *key {
	for name := range strings.SplitSeq(path, ".") {
		if k = k.kid(name); k == nil {
			return nil
		}
	}
	return k
}

// leaves calls f for each key that has a value, in order.
func (k *key) leaves(f func(*key)) {
	if k.isLeaf() {
		f(k)
		return
	}
	for _, c := range k.kids {
		c.leaves(f)
	}
}

// parse reads the text of a value. Its error names no secret.
func (k *key) parse(text string) (any, error) {
	v := reflect.New(k.typ)
	switch {
	case k.isText():
		if err := v.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
			return nil, err
		}
	case k.typ.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			return nil, hint(fmt.Sprintf("%q is neither true nor false", clip(text)), "write true or false")
		}
		v.Elem().SetBool(text == "true")
	case k.typ.Kind() == reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, hint(fmt.Sprintf("%q is not a whole number", clip(text)), "write digits only")
		}
		v.Elem().SetInt(int64(n))
	default:
		if err := k.allows(text); err != nil {
			return nil, err
		}
		v.Elem().SetString(text)
	}
	return v.Elem().Interface(), nil
}

func (k *key) allows(text string) error {
	if k.enum == nil || text == "" || slices.Contains(k.enum, text) {
		return nil
	}
	return hint(fmt.Sprintf("%q is not one of %s", clip(text), strings.Join(k.enum, ", ")), didYouMean(nearest(text, k.enum)))
}

func didYouMean(name string) string {
	if name == "" {
		return "see docs/configuration.md for what is allowed"
	}
	return "did you mean " + name + "?"
}

var (
	targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	labelName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// checkName says whether name may stand below k, a map.
func (k *key) checkName(name string) error {
	if k.typ.Elem().Kind() == reflect.Struct {
		if !targetName.MatchString(name) {
			return hint(fmt.Sprintf("target name %q is not allowed", clip(name)), "use letters, digits, - and _, at most 63, a letter or digit first")
		}
		return nil
	}
	if !labelName.MatchString(name) {
		return hint(fmt.Sprintf("label name %q is not allowed", clip(name)), "use letters, digits and _, no digit first, as Prometheus does")
	}
	return nil
}

// assign sets the value at a path of names in v.
func assign(v reflect.Value, path []string, value reflect.Value) {
	if len(path) == 0 {
		v.Set(value)
		return
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("yaml") == path[0] {
				assign(v.Field(i), path[1:], value)
			}
		}
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	elem := reflect.New(v.Type().Elem()).Elem()
	name := reflect.ValueOf(path[0])
	if old := v.MapIndex(name); old.IsValid() {
		elem.Set(old)
	}
	assign(elem, path[1:], value)
	v.SetMapIndex(name, elem)
}

// nearest returns the word closest to s, "" if none is within three typing
// errors (fewer in short words).
func nearest(s string, words []string) string {
	best, at := "", min(max(1, len(s)/3), 3)+1
	for _, w := range words {
		if d := distance(s, w); d < at {
			best, at = w, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that lead from a to b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	prev, cur := make([]int, len(b)+1), make([]int, len(b)+1)
	var before []int
	for j := range cur {
		cur[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, prev, cur = prev, cur, make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			step := 1
			if a[i-1] == b[j-1] {
				step = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+step)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
	}
	return cur[len(b)]
}
