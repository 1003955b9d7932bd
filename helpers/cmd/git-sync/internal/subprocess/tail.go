package subprocess

// Tail keeps the last Limit bytes that are written to it.
type Tail struct {
	Limit int
	kept  []byte
}

// Write takes everything.
func (t *Tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if excess := len(t.kept) - t.Limit; excess > 0 {
		t.kept = append(t.kept[:0], t.kept[excess:]...)
	}
	return len(p), nil
}

// String returns what is kept.
func (t *Tail) String() string { return string(t.kept) }
