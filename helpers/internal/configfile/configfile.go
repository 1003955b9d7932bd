// Package configfile follows a configuration file as the kubelet mounts it.
package configfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Period is the time between two reads. Volumes of ConfigMaps and Secrets change by a symbolic link some way up the path,
// and the kubelet itself takes up to a minute: reading is simpler than being notified, and misses nothing.
const Period = time.Second

// hashDigits is as much of a hash as the operator shows in an object's status.
const hashDigits = 10

// Hash names a configuration: by the beginning of the SHA-256 of its bytes, as the operator names it.
func Hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])[:hashDigits]
}

// Each calls read once a Period until ctx ends.
func Each(ctx context.Context, read func()) {
	ticks := time.NewTicker(Period)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			read()
		}
	}
}

// Seen knows what was read last.
type Seen struct{ last [sha256.Size]byte }

// Changed tells whether what was read differs from the last time. Nothing was read before the first one.
func (s *Seen) Changed(content []byte) bool {
	sum := sha256.Sum256(content)
	changed := sum != s.last
	s.last = sum
	return changed
}
