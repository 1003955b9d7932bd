package source

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

func readJSON(ctx context.Context, p *page, feed *rule.Feed) error {
	body, err := p.fetch(ctx)
	if err != nil {
		return err
	}
	var document any
	if err := json.Unmarshal(body, &document); err != nil {
		return fmt.Errorf("%s is not JSON: %w", p.url, err)
	}
	feed.Page(func(r *rule.Rule) []rule.Finding { return findJSON(r, document) })
	return nil
}

// findJSON makes a finding of what the path leads to, or of each element if that is a list.
func findJSON(r *rule.Rule, document any) []rule.Finding {
	found, err := r.Query.Search(document)
	if err != nil {
		return nil // a function that wants another type than there is
	}
	list, many := found.([]any)
	if !many {
		list = []any{found}
	}
	findings := make([]rule.Finding, 0, len(list))
	for _, one := range list {
		if one != nil {
			findings = append(findings, jsonFinding(r, one))
		}
	}
	return findings
}

// jsonFinding takes a number, a text with a number in it, true and false for 1 and 0, or an object, whose fields are the
// groups.
func jsonFinding(r *rule.Rule, found any) rule.Finding {
	f := rule.Finding{Value: math.NaN(), Groups: make([]string, len(r.Groups()))}
	fields, object := found.(map[string]any)
	if !object {
		fields = map[string]any{"value": found}
		switch v := found.(type) {
		case float64:
			f.Value = v
		case bool:
			if f.Value = 0; v {
				f.Value = 1
			}
		case string:
			if parsed, err := strconv.ParseFloat(v, 64); err == nil {
				f.Value = parsed
			}
		}
	}
	for i, name := range r.Groups() {
		f.Groups[i] = text(fields[name])
	}
	return f
}

func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
