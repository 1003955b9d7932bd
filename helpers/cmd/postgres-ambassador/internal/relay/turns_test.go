package relay

import (
	"bytes"
	"testing"
)

// A data row may hold what looks like the end of an answer.
func TestMessagesAreFoundInAnyPieces(t *testing.T) {
	end := []byte("Z\x00\x00\x00\x05I")
	row := append([]byte("D\x00\x00\x00\x0a"), end...)
	stream := bytes.Join([][]byte{[]byte("R\x00\x00\x00\x08\x00\x00\x00\x00"), end, row, row, end, []byte("E\x00\x00\x00\x04"), end}, nil)
	for size := 1; size <= len(stream); size++ {
		var m messages
		failed, ready := 0, 0
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			e, z := m.begin(rest[:n])
			failed, ready = failed+e, ready+z
			rest = rest[n:]
		}
		if failed != 1 || ready != 3 {
			t.Errorf("pieces of %d: %d errors, %d answers", size, failed, ready)
		}
	}
}
