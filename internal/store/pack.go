package store

import (
	"bytes"
	"compress/flate"
	"encoding/gob"
	"fmt"
	"io"
)

// maxUnpacked bounds what a packed value may grow to: a damaged history must
// not take the memory of the machine.
const maxUnpacked = 1 << 30

// pack writes v as gob, compressed.
func pack(v any) ([]byte, error) {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("pack %T: %w", v, err)
	}
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
