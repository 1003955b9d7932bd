package rule

import (
	"strconv"
	"strings"
)

// units are what may stand behind a number, in Prometheus's base units: seconds, bytes and ratio.
var units = map[string]float64{
	"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "sec": 1, "min": 60, "h": 3600, "d": 86400,
	"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"%": 0.01,
}

// ParseNumber reads a number, with or without a unit: 12.5, 1.5ms, 2 MiB, 40%.
func ParseNumber(text string) (float64, bool) {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v, true
	}
	end := strings.LastIndexAny(text, "0123456789.") + 1
	factor, known := units[strings.TrimLeft(text[end:], " ")]
	if !known {
		return 0, false
	}
	v, err := strconv.ParseFloat(text[:end], 64)
	return v * factor, err == nil
}
