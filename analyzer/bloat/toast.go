package bloat

import (
	"math"

	"github.com/pgvigil/pgvigil"
)

// CountedChunks is the method of OfTOAST.
const CountedChunks = "chunks"

// TOAST is what the estimate of a TOAST table needs.
type TOAST struct {
	Pages     int64
	Chunks    float64 // live; NaN unknown
	BlockSize int
}

// chunksPerPage is how many chunks of full length fit into a page.
// Source: TOAST_TUPLES_PER_PAGE of src/include/access/heaptoast.h.
const chunksPerPage = 4

// chunkError is the typical error of OfTOAST, as measured: the last chunk of
// each value is shorter than the others, so that more of them fit.
const chunkError = 0.15

// OfTOAST returns what rewriting a TOAST table would free at least: chunks of
// full length need a quarter of a page each, shorter ones less. nil if the table
// is small or nobody ever counted its chunks.
func OfTOAST(t TOAST) *pgvigil.Bloat {
	if t.Pages < minPages || math.IsNaN(t.Chunks) || t.BlockSize <= 0 {
		return nil
	}
	return figure{t.Pages, t.BlockSize}.of(math.Ceil(t.Chunks/chunksPerPage), CountedChunks, chunkError)
}
