package query

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/pgvigil/pgvigil"
)

// Algorithm is the version of the fingerprints that this package makes. It
// changes whenever the fingerprint of any text does.
const Algorithm = 1

// hash returns the first 64 bits of the SHA-256 of a canonical form, which is
// prefixed by the method so that two methods never meet. It is never 0.
func hash(m pgvigil.QueryMethod, canonical []byte) pgvigil.Fingerprint {
	sum := sha256.Sum256(append([]byte(string(m)+"\x00"), canonical...))
	return pgvigil.Fingerprint(max(1, binary.BigEndian.Uint64(sum[:8])))
}
