package syncer

import (
	"math/rand/v2"
	"time"
)

const (
	firstRetry = time.Second
	// MaxRetry bounds how long a server that works again goes unnoticed.
	MaxRetry = time.Minute
	// jitterShare is the part of a period that is left to chance.
	jitterShare = 10
	// minGap is what a sync on demand waits after the one before it: anyone who reaches the port may ask for one.
	minGap = time.Second
)

// nextDelay is how long to wait after a success: a period, less a random part of up to a tenth, so that Pods that started
// together do not ask together for ever.
func nextDelay(period time.Duration) time.Duration {
	return period - rand.N(max(period/jitterShare, 1))
}

// retryDelay is how long to wait after so many failures in a row: twice as long each time, up to MaxRetry, less a
// random part of up to half, so that the Pods of a broken server do not all come back to it at once.
func retryDelay(failures int) time.Duration {
	delay := MaxRetry
	if doublings := failures - 1; doublings < 6 {
		delay = min(firstRetry<<doublings, MaxRetry)
	}
	return delay - rand.N(delay/2)
}
