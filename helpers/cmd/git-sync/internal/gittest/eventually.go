package gittest

import (
	"testing"
	"time"
)

const (
	patience = time.Minute
	interval = 5 * time.Millisecond
)

// Eventually waits for a condition, which is named for the failure.
func Eventually(t testing.TB, name string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, name)
		}
		time.Sleep(interval)
	}
}
