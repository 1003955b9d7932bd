package observation

import (
	"testing"
	"time"
)

func TestLines(t *testing.T) {
	const ms = time.Millisecond
	for text, want := range map[string]struct {
		took     time.Duration
		measured bool
		class    int
	}{
		"@ up a 0 -- 200":        {1 * ms, true, noError},
		"@ up a 12 -- 404":       {13 * ms, true, refused},
		"@ up a 12 -- 500":       {13 * ms, true, failed},
		"@ up <NOSRV> 3 SC 503":  {4 * ms, true, unavailable},
		"@ up a 3 SC 503":        {4 * ms, true, connect},
		"@ up a 5000 sC 503":     {5001 * ms, true, timeout},
		"@ up a 5000 sH 504":     {5001 * ms, true, timeout},
		"@ up a 9 SH 502":        {10 * ms, true, reset},
		"@ up a 9 SD 200":        {10 * ms, true, reset},
		"@ up a 9 sD 200":        {10 * ms, true, timeout},
		"@ up a 9 PH 502":        {10 * ms, true, invalid},
		"@ up a 9 CD 200":        {10 * ms, true, noError},
		"@ up <NOSRV> -1 PR 400": {0, false, refused},
		"@ up a 0 --":            {1 * ms, true, noError},
		"@ up a 0 sD":            {1 * ms, true, noError},
		"@ up a 0 SD":            {1 * ms, true, reset},
		"@ up a 0 DD":            {1 * ms, true, reset},
		"@ up a -1 SC":           {0, false, connect},
		"@ up a -1 sC":           {0, false, timeout},
		"@ up <NOSRV> -1 SC":     {0, false, unavailable},
	} {
		got, ok := parse([]byte(text))
		if !ok || string(got.upstream) != "up" || got.measured != want.measured || got.class != want.class || got.took != want.took && want.measured {
			t.Errorf("%s: %v, %+v", text, ok, got)
		}
	}
	for _, text := range []string{"", "@ up", "@ up a b -- 200", "@ up a 1 -", "Server up/a is DOWN, reason: Layer4 connection problem"} {
		if got, ok := parse([]byte(text)); ok {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if n := droppedIn([]byte("3 events dropped")); n != 3 {
		t.Error(n)
	}
}

func BenchmarkObserve(b *testing.B) {
	l := &Log{upstreams: map[string]*Upstream{}}
	for b.Loop() {
		l.observe([]byte("@ up 127.0.0.1:80 12 -- 200"))
	}
}
