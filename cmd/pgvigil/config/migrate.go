package config

import (
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"
)

// migration changes the tree of a file of one version into one of the next.
// It keeps the lines of what it leaves, so that messages still point there.
type migration struct {
	from  int
	apply func(root *yaml.Node) error
}

// migrations lead from the oldest version that is still read to Version, one
// step each. Version 1 is the first.
var migrations []migration

// versions says which format is spoken; tests speak other ones.
type versions struct {
	current int
	chain   []migration
}

// migrate brings the tree to the current version. It returns the version that
// the file had, and false after a problem.
func (v versions) migrate(f *fileReader, root *yaml.Node) (int, bool) {
	n := child(root, "version")
	if n == nil {
		f.problems.add(Origin{Source: f.path, Line: 1}, "the key version is missing", fmt.Sprintf("write version: %d in the first line", v.current))
		return 0, false
	}
	had, err := strconv.Atoi(n.Value)
	if err != nil || had < 0 {
		f.problems.add(f.at(n), fmt.Sprintf("version %q is not a number", clip(n.Value)), fmt.Sprintf("write version: %d", v.current))
		return 0, false
	}
	if had > v.current {
		f.problems.add(f.at(n), fmt.Sprintf("the file is of version %d, newer than this pgvigil knows (%d)", had, v.current), "use the pgvigil that the file was written for, or a newer one")
		return had, false
	}
	for at := had; at < v.current; at++ {
		step := v.step(at)
		if step == nil {
			f.problems.add(f.at(n), fmt.Sprintf("version %d is no longer read", had), fmt.Sprintf("make a new file with pgvigil config init (version %d) and move the values over", v.current))
			return had, false
		}
		if err := step(root); err != nil {
			f.problems.add(f.at(n), fmt.Sprintf("migrate the file from version %d to %d: %v", at, at+1, err), "make a new file with pgvigil config init and move the values over")
			return had, false
		}
	}
	n.Value = strconv.Itoa(v.current)
	return had, true
}

func (v versions) step(from int) func(*yaml.Node) error {
	for _, m := range v.chain {
		if m.from == from {
			return m.apply
		}
	}
	return nil
}

// child returns the value of a key of a mapping, nil if it is not there.
func child(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}
