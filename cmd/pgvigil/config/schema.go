package config

import (
	"encoding/json"
	"reflect"
	"strconv"
)

// Schema returns the JSON schema (2020-12) of a configuration file, for
// editors and for checks outside pgvigil.
func Schema() ([]byte, error) {
	s := root().schema()
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "pgvigil configuration"
	s["required"] = []string{"version"}
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

func (k *key) schema() map[string]any {
	s := map[string]any{}
	if k.doc != "" {
		s["description"] = k.doc
	}
	switch {
	case k.isMap():
		s["type"] = "object"
		s["additionalProperties"] = k.kids[0].schema()
		s["propertyNames"] = map[string]any{"pattern": k.namePattern()}
	case !k.isLeaf():
		s["type"] = "object"
		s["additionalProperties"] = false
		props := map[string]any{}
		for _, kid := range k.kids {
			props[kid.name] = kid.schema()
		}
		s["properties"] = props
	default:
		k.leafSchema(s)
	}
	return s
}

func (k *key) namePattern() string {
	if k.typ.Elem().Kind() == reflect.Struct {
		return targetName.String()
	}
	return labelName.String()
}

func (k *key) leafSchema(s map[string]any) {
	s["type"] = k.schemaType()
	switch k.typ {
	case reflect.TypeFor[Duration]():
		s["pattern"] = `^(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d|w))+)$`
	case reflect.TypeFor[Size]():
		s["pattern"] = `^(0|[0-9]+(\.[0-9]+)?\s*([kKmMgGtT]?[iI]?[bB]))$`
	}
	if k.isList() {
		s["items"] = map[string]any{"type": "string"}
	}
	if k.isSecret() {
		s["writeOnly"] = true
	}
	if k.enum != nil {
		s["enum"] = k.enum
	}
	if k.name == "version" {
		s["const"] = Version
	}
	if k.def != "" {
		s["default"] = k.typed(k.def)
	}
}

func (k *key) schemaType() string {
	switch {
	case k.isText():
		return "string"
	case k.isList():
		return "array"
	case k.typ.Kind() == reflect.Bool:
		return "boolean"
	case k.typ.Kind() == reflect.Int:
		return "integer"
	}
	return "string"
}

func (k *key) typed(text string) any {
	switch k.schemaType() {
	case "boolean":
		return text == "true"
	case "integer":
		n, err := strconv.Atoi(text)
		if err == nil {
			return n
		}
	}
	return text
}
