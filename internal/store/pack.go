package store

import (
	"bytes"
	"compress/flate"
	"encoding/gob"
	"fmt"
	"io"
	"sync"
)

// maxUnpacked bounds what a packed value may grow to: a damaged history must
// not take the memory of the machine.
const maxUnpacked = 1 << 30

// compressors are reused: each is over half a megabyte, and a first pass packs
// thousands of queries.
var compressors = sync.Pool{New: func() any {
	z, _ := flate.NewWriter(nil, flate.BestSpeed) // fails for a bad level only
	return z
}}

// pack writes v as gob, compressed.
func pack(v any) ([]byte, error) {
	var b bytes.Buffer
	z := compressors.Get().(*flate.Writer)
	defer compressors.Put(z)
	z.Reset(&b)
	if err := gob.NewEncoder(z).Encode(v); err != nil {
		return nil, fmt.Errorf("pack %T: %w", v, err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack %T: %w", v, err)
	}
	return b.Bytes(), nil
}

// unpack reads what pack wrote.
func unpack(b []byte, v any) error {
	z := flate.NewReader(bytes.NewReader(b))
	if err := gob.NewDecoder(io.LimitReader(z, maxUnpacked)).Decode(v); err != nil {
		return fmt.Errorf("unpack %T: %w", v, err)
	}
	return nil
}
