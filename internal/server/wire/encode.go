package wire

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// The words for floats that are not numbers in JSON.
const (
	Infinity    = "Infinity"
	NegInfinity = "-Infinity"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextMarshaler]()
)

// Marshal returns v in JSON, on one line, keys sorted, HTML left as it is.
func Marshal(v any) ([]byte, error) {
	tree, err := encode(reflect.ValueOf(v))
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tree); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// encode turns v into what encoding/json writes without loss.
func encode(v reflect.Value) (any, error) {
	if !v.IsValid() {
		return nil, nil
	}
	switch {
	case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		return encode(v.Elem())
	case v.Type() == timeType:
		return encodeTime(v.Interface().(time.Time)), nil
	case v.Type() == durationType:
		return v.Interface().(time.Duration).String(), nil
	case v.Type().Implements(textType):
		b, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		return string(b), err
	}
	switch v.Kind() {
	case reflect.Float64, reflect.Float32:
		return encodeFloat(v.Float()), nil
	case reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10), nil
	case reflect.Struct:
		return encodeStruct(v)
	case reflect.Slice, reflect.Array:
		return encodeList(v)
	case reflect.Map:
		return encodeMap(v)
	case reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return nil, fmt.Errorf("%s has no form in JSON", v.Type())
	}
	return v.Interface(), nil
}

func encodeTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func encodeFloat(f float64) any {
	switch {
	case math.IsNaN(f):
		return nil
	case math.IsInf(f, 1):
		return Infinity
	case math.IsInf(f, -1):
		return NegInfinity
	}
	return f
}

func encodeStruct(v reflect.Value) (any, error) {
	m := map[string]any{}
	for _, f := range Fields(v.Type()) {
		x, err := encode(v.FieldByIndex(f.Index))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		m[f.Name] = x
	}
	return m, nil
}

func encodeList(v reflect.Value) (any, error) {
	list := make([]any, v.Len())
	for i := range list {
		x, err := encode(v.Index(i))
		if err != nil {
			return nil, err
		}
		list[i] = x
	}
	return list, nil
}

func encodeMap(v reflect.Value) (any, error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%s has no form in JSON", v.Type())
	}
	m := map[string]any{}
	for iter := v.MapRange(); iter.Next(); {
		x, err := encode(iter.Value())
		if err != nil {
			return nil, err
		}
		m[iter.Key().String()] = x
	}
	return m, nil
}
