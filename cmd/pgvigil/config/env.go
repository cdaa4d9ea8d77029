package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const envPrefix = "PGVIGIL_"

// EnvName returns the environment variable that sets a key:
// PGVIGIL_HISTORY_PATH for history.path.
func EnvName(path string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path))
}

// reservedEnv are variables of ours that are not about the configuration.
var reservedEnv = regexp.MustCompile(`^PGVIGIL_(CONFIG|SERVER|DSN|PG_BIN|TEST_.*)$`)

// kubernetesEnv are variables that Kubernetes and Docker set for a service
// that happens to be called pgvigil.
var kubernetesEnv = regexp.MustCompile(`^PGVIGIL_(.+_)?(SERVICE_(HOST|PORT)(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|(NAME|ENV_.+))$`)

func ours(name, value string) bool {
	if !strings.HasPrefix(name, envPrefix) || value == "" || reservedEnv.MatchString(name) {
		return false
	}
	link := strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
	return !link && !kubernetesEnv.MatchString(name)
}

// envReader turns environment variables into a layer.
type envReader struct {
	layer
	problems *problemList
	// paths are the keys that a variable may mean; more than one is a problem.
	paths map[string][]string
	// labels are the keys of maps, by the beginning of the variable.
	labels map[string]string
}

// readEnv reads the variables of an environment ("NAME=value"). Targets are
// those that the file and the flags name.
func readEnv(environ, targets []string, problems *problemList) layer {
	r := envReader{newLayer(), problems, map[string][]string{}, map[string]string{}}
	root().leaves(func(k *key) {
		if !strings.Contains(k.path, "*") {
			r.allow(k.path)
			return
		}
		for _, name := range targets {
			r.allow(strings.Replace(k.path, "*", name, 1))
		}
	})
	for _, kv := range slices.Sorted(slices.Values(environ)) {
		if name, value, ok := strings.Cut(kv, "="); ok && ours(name, value) {
			r.read(name, value)
		}
	}
	return r.layer
}

func (r *envReader) allow(path string) {
	if section, ok := strings.CutSuffix(path, ".*"); ok {
		r.labels[EnvName(section)+"_"] = section
		return
	}
	name := EnvName(path)
	r.paths[name] = append(r.paths[name], path)
}

func (r *envReader) read(name, value string) {
	at := Origin{Source: "environment " + name, rank: ofEnvironment}
	paths := r.paths[name]
	if len(paths) == 0 {
		paths = r.label(name)
	}
	switch len(paths) {
	case 0:
		r.problems.add(at, "this variable sets no key", envAdvice(name, slices.Sorted(maps.Keys(r.paths))))
	case 1:
		setText(r.layer, r.problems, paths[0], value, at)
	default:
		r.problems.add(at, "this variable may mean "+strings.Join(paths, " or "), "set the key in the file instead")
	}
}

// label finds the label that a variable sets; its name is in lower case.
func (r *envReader) label(name string) (paths []string) {
	for prefix, section := range r.labels {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			paths = append(paths, join(section, strings.ToLower(rest)))
		}
	}
	return paths
}

func envAdvice(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	if strings.HasPrefix(name, "PGVIGIL_TARGETS_") {
		return "variables may change a target that the file names, and cannot add one"
	}
	return "unset it, or see docs/configuration.md for the variables there are"
}

// readFlags turns values of flags, by key, into a layer.
func readFlags(flags map[string]string, problems *problemList) layer {
	l := newLayer()
	for _, path := range sortedKeys(flags) {
		setText(l, problems, path, flags[path], Origin{Source: "flag for " + clip(path), rank: ofFlag})
	}
	return l
}

// setText sets a key from the text of a variable or flag.
func setText(l layer, problems *problemList, path, text string, at Origin) {
	k, err := lookup(path)
	if err != nil {
		problems.add(at, err.Error(), pathAdvice(path))
		return
	}
	var v any
	if k.isList() {
		v, err = splitList(text)
	} else {
		v, err = k.parse(text)
	}
	if err != nil {
		problems.addErr(at, path, err)
		return
	}
	l.set(path, v, at)
}

// lookup finds the leaf of a path and checks the names in it.
func lookup(path string) (*key, error) {
	k := root()
	for name := range strings.SplitSeq(path, ".") {
		kid := k.kid(name)
		if kid == nil {
			return nil, hint("unknown key "+clip(path), "")
		}
		if k.isMap() {
			if err := k.checkName(name); err != nil {
				return nil, err
			}
		}
		k = kid
	}
	if !k.isLeaf() {
		return nil, hint(clip(path)+" holds keys, not a value", "")
	}
	return k, nil
}

// pathAdvice names the key that was probably meant by a path.
func pathAdvice(path string) string {
	k, done := root(), ""
	for name := range strings.SplitSeq(path, ".") {
		kid := k.kid(name)
		if kid == nil {
			return unknownAdvice(k, done, name)
		}
		k, done = kid, join(done, name)
	}
	return "see docs/configuration.md for the keys there are"
}

// splitList reads "a, b" or, for values that hold commas, "[a, 'b,c']".
func splitList(text string) ([]string, error) {
	var words []string
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		if err := yaml.Unmarshal([]byte(text), &words); err != nil {
			return nil, hint("the list cannot be read", "write [one, two]")
		}
		return words, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
