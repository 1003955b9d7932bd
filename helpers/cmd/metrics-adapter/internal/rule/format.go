package rule

import (
	"encoding/json"
	"strconv"
	"strings"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

// format reads a line, nil if it is none of the format.
type format func(line string) map[string]any

// formatOf is nil for lines that rules have regular expressions for.
func formatOf(s spec.Source) format {
	return map[string]format{"json": parseJSON, "logfmt": parseLogfmt}[s.LineFormat()]
}

func parseJSON(line string) (fields map[string]any) {
	if json.Unmarshal([]byte(line), &fields) != nil {
		return nil
	}
	return fields
}

// parseLogfmt reads pairs: level=info msg="it \"works\"" ok. A word by itself is true.
func parseLogfmt(line string) map[string]any {
	fields := map[string]any{}
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		end := strings.IndexAny(line, "= \t")
		if end < 0 {
			end = len(line)
		}
		key := line[:end]
		line = line[end:]
		if !strings.HasPrefix(line, "=") {
			if key != "" {
				fields[key] = true
			}
			continue
		}
		line = line[1:]
		value := line
		if quoted, err := strconv.QuotedPrefix(line); err == nil && quoted[0] == '"' {
			line = line[len(quoted):]
			value, _ = strconv.Unquote(quoted)
		} else if end := strings.IndexAny(line, " \t"); end >= 0 {
			value, line = line[:end], line[end:]
		} else {
			line = ""
		}
		if key != "" {
			fields[key] = value
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return fields
}
