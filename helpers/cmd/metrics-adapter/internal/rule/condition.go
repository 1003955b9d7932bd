package rule

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strconv"
	"strings"
)

// condition tells whether what was found is wanted.
type condition func(groups []string) bool

// operand gives one side of a comparison.
type operand func(groups []string) string

// compileCondition reads comparisons of groups, numbers and quoted strings, joined by &&, || and !, with parentheses:
// what Go's expressions, C's and CEL's have in common, read by Go's own parser. Both sides numbers: they are compared as
// numbers. Otherwise == and != compare text, and < <= > >= are false.
func compileCondition(text string, index func(group string) (int, error)) (condition, error) {
	tree, err := parser.ParseExpr(escapeKeywords(text))
	if err != nil {
		return nil, fmt.Errorf(`not a condition such as code >= 500 && method == "GET": %w`, err)
	}
	return logical(tree, index)
}

// keyword stands before a group that is named like a keyword of Go, such as type. No group begins with it.
const keyword = "ǃ"

func escapeKeywords(text string) string {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, []byte(text), func(token.Position, string) {}, 0) // the parser says what is wrong
	escaped, end := "", 0
	for pos, found, _ := s.Scan(); found != token.EOF; pos, found, _ = s.Scan() {
		if found.IsKeyword() {
			at := file.Offset(pos)
			escaped += text[end:at] + keyword
			end = at
		}
	}
	return escaped + text[end:]
}

func logical(tree ast.Expr, index func(string) (int, error)) (condition, error) {
	switch node := tree.(type) {
	case *ast.ParenExpr:
		return logical(node.X, index)
	case *ast.UnaryExpr:
		if node.Op == token.NOT {
			inner, err := logical(node.X, index)
			return func(groups []string) bool { return !inner(groups) }, err
		}
	case *ast.BinaryExpr:
		if node.Op != token.LAND && node.Op != token.LOR {
			return comparison(node, index)
		}
		left, err := logical(node.X, index)
		if err != nil {
			return nil, err
		}
		right, err := logical(node.Y, index)
		if node.Op == token.LAND {
			return func(groups []string) bool { return left(groups) && right(groups) }, err
		}
		return func(groups []string) bool { return left(groups) || right(groups) }, err
	}
	return nil, fmt.Errorf("position %d: only comparisons, &&, || and ! are known here", tree.Pos())
}

func comparison(node *ast.BinaryExpr, index func(string) (int, error)) (condition, error) {
	left, leftErr := side(node.X, index)
	right, rightErr := side(node.Y, index)
	if err := errors.Join(leftErr, rightErr); err != nil {
		return nil, err
	}
	holds, known := map[token.Token]func(order int) bool{
		token.EQL: func(order int) bool { return order == 0 },
		token.NEQ: func(order int) bool { return order != 0 },
		token.LSS: func(order int) bool { return order < 0 },
		token.LEQ: func(order int) bool { return order <= 0 },
		token.GTR: func(order int) bool { return order > 0 },
		token.GEQ: func(order int) bool { return order >= 0 },
	}[node.Op]
	if !known {
		return nil, fmt.Errorf("position %d: %s is not a comparison; use == != < <= > >=", node.OpPos, node.Op)
	}
	equality := node.Op == token.EQL || node.Op == token.NEQ
	return func(groups []string) bool {
		a, b := left(groups), right(groups)
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		switch {
		case errX == nil && errY == nil && x == x && y == y:
			return holds(cmp.Compare(x, y))
		case equality && a == b:
			return holds(0)
		case equality:
			return holds(1)
		}
		return false
	}, nil
}

func side(tree ast.Expr, index func(string) (int, error)) (operand, error) {
	switch node := tree.(type) {
	case *ast.ParenExpr:
		return side(node.X, index)
	case *ast.Ident:
		i, err := index(strings.TrimPrefix(node.Name, keyword))
		return func(groups []string) string { return groups[i] }, err
	case *ast.BasicLit:
		switch node.Kind {
		case token.STRING:
			text, err := strconv.Unquote(node.Value)
			return constant(text), err
		case token.INT, token.FLOAT:
			// What Go writes otherwise, such as 0x10 and 1_000, is left to Go.
			_, err := strconv.ParseFloat(node.Value, 64)
			return constant(node.Value), err
		}
	case *ast.UnaryExpr:
		if number, is := node.X.(*ast.BasicLit); is && node.Op == token.SUB && number.Kind != token.STRING {
			_, err := strconv.ParseFloat("-"+number.Value, 64)
			return constant("-" + number.Value), err
		}
	}
	return nil, fmt.Errorf("position %d: not a group, a number or a string in double quotes", tree.Pos())
}

func constant(text string) operand { return func([]string) string { return text } }
