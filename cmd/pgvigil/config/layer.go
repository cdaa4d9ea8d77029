package config

import (
	"errors"
	"maps"
	"strings"

	"github.com/knadh/koanf/v2"
)

// layer is what one source says: values of the types that Config has, by key.
type layer struct {
	values  map[string]any
	origins map[string]Origin
}

func newLayer() layer { return layer{map[string]any{}, map[string]Origin{}} }

func (l layer) set(path string, v any, at Origin) {
	l.values[path] = v
	l.origins[path] = at
}

// ReadBytes is not how a layer is read; koanf asks for the method.
func (layer) ReadBytes() ([]byte, error) { return nil, errors.ErrUnsupported }

// Read returns the values as koanf takes them, maps within maps.
func (l layer) Read() (map[string]any, error) {
	top := map[string]any{}
	for path, v := range l.values {
		at := top
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			below, ok := at[name].(map[string]any)
			if !ok {
				below = map[string]any{}
				at[name] = below
			}
			at = below
		}
		at[names[len(names)-1]] = v
	}
	return top, nil
}

// stack merges layers, a later one winning over those before.
func stack(layers ...layer) (layer, error) {
	ko := koanf.New(".")
	merged := newLayer()
	for _, l := range layers {
		if err := ko.Load(l, nil); err != nil {
			return layer{}, err
		}
		maps.Copy(merged.origins, l.origins)
	}
	for _, path := range ko.Keys() {
		merged.values[path] = ko.Get(path)
	}
	return merged, nil
}

// defaults is the layer below all others. What stands in a target has no
// place in it: a target's defaults are filled in when its name is known.
func defaults() (layer, error) {
	l := newLayer()
	var err error
	root().leaves(func(k *key) {
		if k.def == "" || strings.Contains(k.path, "*") {
			return
		}
		v, e := k.parse(k.def)
		if e != nil {
			err = errors.Join(err, e)
		}
		l.set(k.path, v, Origin{Source: "default"})
	})
	return l, err
}

// fill gives each target the defaults of its keys, and what it inherits.
func (l layer) fill() error {
	for _, name := range l.targets() {
		prefix := "targets." + name
		for _, k := range root().find("targets." + name).kids {
			path := join(prefix, k.name)
			switch {
			case k.inherit != "":
				l.inherit(path, root().find(k.inherit))
			case k.def != "" && l.values[path] == nil:
				v, err := k.parse(k.def)
				if err != nil {
					return err
				}
				l.set(path, v, Origin{Source: "default"})
			}
		}
	}
	return nil
}

func (l layer) inherit(path string, from *key) {
	every, cron := join(path, "every"), join(path, "cron")
	own := l.values[every] != nil || l.values[cron] != nil
	for _, k := range from.kids {
		to, v := join(path, k.name), l.values[k.path]
		// A target's own period or cron expression replaces both of the top's.
		if l.values[to] != nil || v == nil || (own && (to == every || to == cron)) {
			continue
		}
		l.set(to, v, Origin{Source: "inherited from " + k.path})
	}
}

// targets returns the names under which the layer has values of targets.
func (l layer) targets() []string {
	names := map[string]bool{}
	for path := range l.values {
		if rest, ok := strings.CutPrefix(path, "targets."); ok {
			name, _, _ := strings.Cut(rest, ".")
			names[name] = true
		}
	}
	return sortedKeys(names)
}
