package rule

import (
	"math"
	"regexp"
)

// Pair is two metrics of a page joined by an operator: pool_used / pool_max.
type Pair struct {
	Left, Right string
	operator    string
}

// pair has spaces around the operator, which names don't have.
var pair = regexp.MustCompile(`^(\S+) ([-+*/]) (\S+)$`)

// pairOf is nil for a path that is one metric's name.
func pairOf(path string) *Pair {
	found := pair.FindStringSubmatch(path)
	if found == nil {
		return nil
	}
	return &Pair{Left: found[1], operator: found[2], Right: found[3]}
}

// Rises tells whether the result of two totals is a total.
func (p *Pair) Rises() bool { return p.operator == "+" }

// Of is the result, NaN for what is divided by 0.
func (p *Pair) Of(left, right float64) float64 {
	switch p.operator {
	case "+":
		return left + right
	case "-":
		return left - right
	case "*":
		return left * right
	}
	if right == 0 {
		return math.NaN()
	}
	return left / right
}
