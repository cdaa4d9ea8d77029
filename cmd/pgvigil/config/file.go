package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxFile is more than any configuration takes; a thousand targets are 300 kB.
const maxFile = 1 << 20

// readFile reads a configuration file, at most maxFile bytes of it.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint(fmt.Sprintf("read the configuration: there is no file %s", path), "make one with pgvigil config init > "+path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	if len(b) > maxFile {
		return nil, hint(fmt.Sprintf("read the configuration: %s is larger than 1 MB", path), "is it the right file?")
	}
	return b, nil
}

// fileReader turns a YAML file into a layer, collecting what is wrong with it.
type fileReader struct {
	path string
	layer
	problems *problemList
}

func (f *fileReader) at(n *yaml.Node) Origin {
	return Origin{Source: f.path, Line: n.Line, rank: ofFile}
}

// parse returns the mapping at the root of a file, nil after a problem.
func (f *fileReader) parse(b []byte) *yaml.Node {
	top := Origin{Source: f.path}
	if !utf8.Valid(b) {
		f.problems.add(top, "the file is not UTF-8", "save it as UTF-8")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		f.yamlProblem(err, b)
		return nil
	}
	if len(doc.Content) == 0 {
		f.problems.add(top, "the file is empty", "make one with pgvigil config init")
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		f.problems.add(top, "the file holds more than one YAML document", "keep one, without lines of ---")
		return nil
	}
	r := doc.Content[0]
	if r.Kind != yaml.MappingNode {
		f.problems.add(f.at(r), "the file is not a mapping of keys to values", "see pgvigil config init for how it looks")
		return nil
	}
	return r
}

var (
	yamlLine   = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	yamlQuoted = regexp.MustCompile(`'[^']*'`)
	yamlAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// yamlProblem says what the parser could not read. It leaves out what the
// parser quotes of the file: that may be part of a password.
func (f *fileReader) yamlProblem(err error, content []byte) {
	text := err.Error()
	at := Origin{Source: f.path}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		at.Line, _ = strconv.Atoi(m[1]) // no digits, no line
	}
	if m := yamlAnchor.FindStringSubmatch(text); m != nil {
		before, _, _ := bytes.Cut(content, []byte("*"+m[1]))
		at.Line = 1 + bytes.Count(before, []byte("\n"))
		f.problems.add(at, "a value begins with *, which YAML takes for an alias", "put the value in single quotes")
		return
	}
	advice := "indent with spaces, not tabs, and put values that hold : # { [ & * ! or % in single quotes"
	f.problems.add(at, "the file is not YAML: "+clip(yamlQuoted.ReplaceAllString(text, "...")), advice)
}

// section reads the keys of a mapping below k.
func (f *fileReader) section(n *yaml.Node, k *key, path string) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if !f.plain(name) {
			continue
		}
		if name.Kind != yaml.ScalarNode {
			f.problems.add(f.at(name), "a key is not a word", "write key: value")
			continue
		}
		if line, ok := seen[name.Value]; ok {
			f.problems.add(f.at(name), fmt.Sprintf("key %s stands twice, first in line %d", clip(join(path, name.Value)), line), "keep one of them")
			continue
		}
		seen[name.Value] = name.Line
		f.entry(name, value, k, path)
	}
}

func (f *fileReader) entry(name, value *yaml.Node, k *key, path string) {
	kid := k.kid(name.Value)
	if kid == nil {
		f.problems.add(f.at(name), "unknown key "+clip(join(path, name.Value)), unknownAdvice(k, path, name.Value))
		return
	}
	if k.isMap() {
		if err := k.checkName(name.Value); err != nil {
			f.problems.addErr(f.at(name), path, err)
			return
		}
	}
	f.value(value, kid, join(path, name.Value))
}

// plain says that a node is neither alias, anchor nor tagged: what they stand
// for could not be shown by its place, and a bomb is made of them.
func (f *fileReader) plain(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		f.problems.add(f.at(n), "anchors (&) and aliases (*) are not supported", "write the value out; put a value that begins with & or * in single quotes")
	case n.Style&yaml.TaggedStyle != 0:
		f.problems.add(f.at(n), "tags (!) are not supported", "put a value that begins with ! in single quotes")
	default:
		return true
	}
	return false
}

func (f *fileReader) value(n *yaml.Node, k *key, path string) {
	if !f.plain(n) || (n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null") {
		return // an empty value is no value
	}
	switch {
	case !k.isLeaf():
		if n.Kind != yaml.MappingNode {
			f.problems.add(f.at(n), path+" holds keys, not a value", "indent its keys below it")
			return
		}
		f.section(n, k, path)
	case k.isList():
		f.list(n, path)
	case n.Kind != yaml.ScalarNode:
		f.problems.add(f.at(n), path+" is one value, not a list or a mapping", "write it on one line after the colon")
	default:
		v, err := k.parse(n.Value)
		if err != nil {
			f.problems.addErr(f.at(n), path, err)
			return
		}
		f.set(path, v, f.at(n))
	}
}

func (f *fileReader) list(n *yaml.Node, path string) {
	if n.Kind != yaml.SequenceNode {
		f.problems.add(f.at(n), path+" is a list", "write [one, two]")
		return
	}
	words := make([]string, 0, len(n.Content))
	for _, item := range n.Content {
		if !f.plain(item) {
			return
		}
		if item.Kind != yaml.ScalarNode {
			f.problems.add(f.at(item), path+" is a list of single values", "write [one, two]")
			return
		}
		words = append(words, item.Value)
	}
	f.set(path, words, f.at(n))
}

// unknownAdvice names the key that was probably meant: a sibling that is
// spelled nearly so, or the same name in another place.
func unknownAdvice(parent *key, path, name string) string {
	siblings := make([]string, len(parent.kids))
	for i, c := range parent.kids {
		siblings[i] = c.name
	}
	if near := nearest(name, siblings); near != "" {
		return "did you mean " + join(path, near) + "?"
	}
	elsewhere := ""
	root().each(func(k *key) {
		if k.name == name && elsewhere == "" {
			elsewhere = k.path
		}
	})
	if elsewhere != "" {
		return "did you mean " + elsewhere + "?"
	}
	return "see docs/configuration.md for the keys there are"
}

// each calls f for k's descendants, nearer ones first.
func (k *key) each(f func(*key)) {
	for _, c := range k.kids {
		f(c)
	}
	for _, c := range k.kids {
		c.each(f)
	}
}
