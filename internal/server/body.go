package server

import (
	"encoding"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pgvigil/pgvigil/internal/server/wire"
)

// Body is a T in the form of package wire: as huma sends, reads and documents
// it.
type Body[T any] struct{ Value T }

// MarshalJSON writes the wire form.
func (b Body[T]) MarshalJSON() ([]byte, error) { return wire.Marshal(b.Value) }

// UnmarshalJSON reads the wire form and takes no unknown field.
func (b *Body[T]) UnmarshalJSON(data []byte) error { return wire.UnmarshalStrict(data, &b.Value) }

// Schema documents the wire form.
func (b Body[T]) Schema(r huma.Registry) *huma.Schema { return schemaOf(r, reflect.TypeFor[T]()) }

const schemaPrefix = "#/components/schemas/"

// schemaOf returns the schema of a type's wire form; structs are components.
func schemaOf(r huma.Registry, t reflect.Type) *huma.Schema {
	switch {
	case t.Kind() == reflect.Pointer:
		return &huma.Schema{AnyOf: []*huma.Schema{schemaOf(r, t.Elem()), {Type: "null"}}}
	case t == reflect.TypeFor[time.Time]():
		return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
	case t == reflect.TypeFor[time.Duration](), t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return &huma.Schema{Type: huma.TypeString}
	}
	switch t.Kind() {
	case reflect.Struct:
		return structSchema(r, t)
	case reflect.Slice, reflect.Array:
		return &huma.Schema{Type: huma.TypeArray, Items: schemaOf(r, t.Elem())}
	case reflect.Map:
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: schemaOf(r, t.Elem())}
	case reflect.Float64:
		return numberSchema(r)
	case reflect.Bool:
		return &huma.Schema{Type: huma.TypeBoolean}
	case reflect.String, reflect.Uint64:
		return &huma.Schema{Type: huma.TypeString}
	}
	return &huma.Schema{Type: huma.TypeInteger}
}

func structSchema(r huma.Registry, t reflect.Type) *huma.Schema {
	ref := &huma.Schema{Ref: schemaPrefix + t.Name()}
	if r.Map()[t.Name()] != nil {
		return ref
	}
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	r.Map()[t.Name()] = s // before its fields, which may come back to it
	for _, f := range wire.Fields(t) {
		s.Properties[f.Name] = schemaOf(r, f.Type)
	}
	return ref
}

func numberSchema(r huma.Registry) *huma.Schema {
	const name = "Number"
	r.Map()[name] = &huma.Schema{
		Description: "A number; null means unknown.",
		AnyOf: []*huma.Schema{
			{Type: huma.TypeNumber},
			{Type: "null"},
			{Type: huma.TypeString, Enum: []any{wire.Infinity, wire.NegInfinity}},
		},
	}
	return &huma.Schema{Ref: schemaPrefix + name}
}
