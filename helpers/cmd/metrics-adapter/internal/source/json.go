package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/query"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

func readJSON(ctx context.Context, p *page, feed *rule.Feed) error {
	body, err := p.fetch(ctx)
	if err != nil {
		return err
	}
	document, err := parseJSON(body)
	if err != nil {
		return fmt.Errorf("the page is not JSON: %w", err)
	}
	feed.Page(func(r *rule.Rule) []rule.Finding { return findJSON(r, document) })
	return nil
}

// token is a text, or what Python and others write for numbers that JSON doesn't have.
var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b`)

// parseJSON takes numbers that are none as texts, so that no other field is lost by them.
func parseJSON(body []byte) (document any, err error) {
	err = json.Unmarshal(body, &document)
	if err != nil && (bytes.Contains(body, []byte("NaN")) || bytes.Contains(body, []byte("Infinity"))) {
		err = json.Unmarshal(token.ReplaceAllFunc(body, func(found []byte) []byte {
			if found[0] == '"' {
				return found
			}
			return []byte(`"` + string(found) + `"`)
		}), &document)
	}
	return document, err
}

func findJSON(r *rule.Rule, document any) []rule.Finding {
	found, err := r.Query.Search(document)
	if err != nil {
		return nil // a function that wants another type than there is
	}
	findings := make([]rule.Finding, len(found))
	for i, one := range found {
		findings[i] = jsonFinding(r, one)
	}
	return findings
}

// jsonFinding takes a number, a text with a number in it, true and false for 1 and 0, or an object, whose fields are the
// groups.
func jsonFinding(r *rule.Rule, found query.Found) rule.Finding {
	f := rule.Finding{Identity: found.Place, Value: math.NaN(), Groups: make([]string, len(r.Groups()))}
	if parsed, number := rule.ParseNumber(query.Text(found.Value)); number {
		f.Value = parsed
	} else if is, truth := found.Value.(bool); truth {
		f.Value = map[bool]float64{true: 1}[is]
	}
	found.Groups(r.Groups(), f.Groups)
	return f
}
