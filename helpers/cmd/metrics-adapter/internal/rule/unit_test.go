package rule

import "testing"

func TestNumbersWithUnits(t *testing.T) {
	for text, want := range map[string]float64{
		"12.5": 12.5, "1.5ms": 0.0015, "2 MiB": 2 << 20, "40%": 0.4, "-3 kB": -3000, "1e3us": 0.001, "7s": 7, "0.5 h": 1800, "250µs": 0.00025,
	} {
		if got, ok := ParseNumber(text); !ok || got < want-1e-12 || got > want+1e-12 {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "ms", "N/A", "1.2.3ms", "5m", "10k", "3 apples", "0x10", "-", "1,5", "1 2 s"} {
		if got, ok := ParseNumber(text); ok {
			t.Errorf("%s is %v", text, got)
		}
	}
}
