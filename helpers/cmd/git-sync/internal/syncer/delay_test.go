package syncer

import (
	"testing"
	"time"
)

func TestRetryDelay(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: MaxRetry, 8: MaxRetry, 1 << 40: MaxRetry,
	} {
		seen := map[time.Duration]bool{}
		for range 1000 {
			delay := retryDelay(failures)
			if delay > want || delay <= want/2 {
				t.Fatalf("%s after %d failures, want more than half of %s and no more than it", delay, failures, want)
			}
			seen[delay] = true
		}
		if len(seen) < 100 {
			t.Errorf("only %d different delays after %d failures", len(seen), failures)
		}
	}
}

func TestPodsThatStartedTogetherDoNotAskTogetherForEver(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 1000 {
		delay := nextDelay(time.Minute)
		if delay > time.Minute || delay <= 54*time.Second {
			t.Fatalf("%s of a minute", delay)
		}
		seen[delay] = true
	}
	if len(seen) < 100 {
		t.Errorf("only %d different delays", len(seen))
	}
	if delay := nextDelay(time.Nanosecond); delay > time.Nanosecond || delay < 0 {
		t.Errorf("%s of a nanosecond", delay)
	}
}
