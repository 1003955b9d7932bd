package configfile

import (
	"context"
	"testing"
)

func TestOnlyWhatDiffersHasChanged(t *testing.T) {
	var seen Seen
	for i, step := range []struct {
		content string
		changed bool
	}{{"", true}, {"", false}, {"a", true}, {"a", false}, {"b", true}, {"a", true}} {
		if seen.Changed([]byte(step.content)) != step.changed {
			t.Errorf("step %d: %q", i, step.content)
		}
	}
}

func TestTheHashIsTheOneThatStatusShows(t *testing.T) {
	if hash := Hash([]byte("abc")); hash != "ba7816bf8f" {
		t.Error(hash)
	}
}

func TestItReadsUntilTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	read := 0
	Each(ctx, func() {
		if read++; read == 2 {
			cancel()
		}
	})
	if read != 2 {
		t.Error(read)
	}
}
