package wire

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Unmarshal reads what Marshal wrote into the value that v points to. Fields
// that it does not know are left out, so that an old client understands a
// newer service. Empty lists and mappings become nil.
func Unmarshal(b []byte, v any) error { return unmarshal(b, v, false) }

// UnmarshalStrict is Unmarshal that takes no unknown field.
func UnmarshalStrict(b []byte, v any) error { return unmarshal(b, v, true) }

func unmarshal(b []byte, v any, strict bool) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("read JSON: something follows the value")
	}
	d := decoder{strict: strict}
	if err := d.decode(reflect.ValueOf(v).Elem(), tree, ""); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	return nil
}

type decoder struct{ strict bool }

// wrong says that the JSON at a path is not what a type takes.
func wrong(path, want string) error {
	if path == "" {
		path = "the value"
	}
	return fmt.Errorf("%s: want %s", path, want)
}

// decode sets v from x. null leaves the zero value, of floats NaN.
func (d decoder) decode(v reflect.Value, x any, path string) error {
	switch {
	case v.Kind() == reflect.Float64 || v.Kind() == reflect.Float32:
		return decodeFloat(v, x, path)
	case x == nil:
		v.SetZero()
		return nil
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.decode(v.Elem(), x, path)
	case v.Type() == timeType || v.Type() == durationType || reflect.PointerTo(v.Type()).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return decodeText(v, x, path)
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.decodeStruct(v, x, path)
	case reflect.Slice, reflect.Array:
		return d.decodeList(v, x, path)
	case reflect.Map:
		return d.decodeMap(v, x, path)
	}
	return decodeScalar(v, x, path)
}

func decodeFloat(v reflect.Value, x any, path string) error {
	switch x := x.(type) {
	case nil:
		v.SetFloat(math.NaN())
		return nil
	case string:
		if i := slices.Index([]string{Infinity, NegInfinity}, x); i >= 0 {
			v.SetFloat(math.Inf(1 - 2*i))
			return nil
		}
	case json.Number:
		if f, err := x.Float64(); err == nil {
			v.SetFloat(f)
			return nil
		}
	}
	return wrong(path, "a number")
}

func decodeText(v reflect.Value, x any, path string) error {
	s, ok := x.(string)
	if !ok {
		return wrong(path, "a string")
	}
	switch v.Type() {
	case timeType:
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return wrong(path, "a time as in RFC 3339")
		}
		v.Set(reflect.ValueOf(t.UTC()))
		return nil
	case durationType:
		dur, err := time.ParseDuration(s)
		if err != nil {
			return wrong(path, "a duration with units")
		}
		v.SetInt(int64(dur))
		return nil
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (d decoder) decodeStruct(v reflect.Value, x any, path string) error {
	m, ok := x.(map[string]any)
	if !ok {
		return wrong(path, "an object")
	}
	known := 0
	for _, f := range Fields(v.Type()) {
		y, ok := m[f.Name]
		if !ok {
			continue
		}
		known++
		if err := d.decode(v.FieldByIndex(f.Index), y, path+"."+f.Name); err != nil {
			return err
		}
	}
	if d.strict && known < len(m) {
		return unknownField(v.Type(), m, path)
	}
	return nil
}

func unknownField(t reflect.Type, m map[string]any, path string) error {
	fields := Fields(t)
	for name := range m {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.Name == name }) {
			return fmt.Errorf("%s.%.60q is not known", path, name)
		}
	}
	return nil
}

func (d decoder) decodeList(v reflect.Value, x any, path string) error {
	list, ok := x.([]any)
	if !ok {
		return wrong(path, "a list")
	}
	switch {
	case v.Kind() == reflect.Array && len(list) != v.Len():
		return wrong(path, fmt.Sprintf("%d values", v.Len()))
	case v.Kind() == reflect.Slice && len(list) == 0:
		v.SetZero()
		return nil
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	}
	for i, y := range list {
		if err := d.decode(v.Index(i), y, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

func (d decoder) decodeMap(v reflect.Value, x any, path string) error {
	m, ok := x.(map[string]any)
	if !ok {
		return wrong(path, "an object")
	}
	if len(m) == 0 {
		v.SetZero()
		return nil
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(m)))
	for name, y := range m {
		elem := reflect.New(v.Type().Elem()).Elem()
		if err := d.decode(elem, y, path+"."+name); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), elem)
	}
	return nil
}

func decodeScalar(v reflect.Value, x any, path string) error {
	switch x := x.(type) {
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(x)
			return nil
		}
	case string:
		if v.Kind() == reflect.String {
			v.SetString(x)
			return nil
		}
		if n, err := strconv.ParseUint(x, 10, 64); err == nil && v.Kind() == reflect.Uint64 {
			v.SetUint(n)
			return nil
		}
	case json.Number:
		n, err := strconv.ParseInt(x.String(), 10, 64)
		switch {
		case err != nil:
		case v.CanInt() && !v.OverflowInt(n):
			v.SetInt(n)
			return nil
		case v.CanUint() && n >= 0 && v.Kind() != reflect.Uint64 && !v.OverflowUint(uint64(n)):
			v.SetUint(uint64(n))
			return nil
		}
	}
	return wrong(path, "a value of kind "+v.Kind().String())
}
