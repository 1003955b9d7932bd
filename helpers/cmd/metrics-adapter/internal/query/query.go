// Package query finds values in JSON by JMESPath, and where each of them is: a counter of one member of a list must not be
// taken for that of another. It evaluates what makes lists itself, in a fixed order; all else is the library's.
package query

import (
	"maps"
	"slices"
	"strconv"

	"github.com/jmespath-community/go-jmespath/pkg/functions"
	"github.com/jmespath-community/go-jmespath/pkg/interpreter"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/jmespath-community/go-jmespath/pkg/util"
)

// Query is a compiled expression.
type Query struct {
	tree     parsing.ASTNode
	identity *parsing.ASTNode // of a list's element; nil: its index
	caller   interpreter.FunctionCaller
}

// Found is a value and its place: the keys and indices of the lists and objects that were gone through.
type Found struct {
	Value any
	Place string
}

// Compile reads an expression.
func Compile(expression string) (*Query, error) {
	tree, err := parsing.NewParser().Parse(expression)
	if err != nil {
		return nil, err
	}
	return &Query{tree: tree, caller: interpreter.NewFunctionCaller(functions.GetDefaultFunctions()...)}, nil
}

// Identify sets the expression that tells the elements of a list apart: id.
func (q *Query) Identify(expression string) error {
	tree, err := parsing.NewParser().Parse(expression)
	q.identity = &tree
	return err
}

// Search returns what the expression leads to, of a list each element. Nulls are nothing.
func (q *Query) Search(document any) ([]Found, error) {
	e := evaluation{q, interpreter.NewInterpreter(document, q.caller, nil)}
	result, err := e.node(q.tree, item{value: document})
	if err != nil {
		return nil, err
	}
	elements, many := e.elements(result)
	if !many {
		elements = []item{result}
	}
	all := make([]Found, 0, len(elements))
	for _, one := range elements {
		if value := one.plain(); value != nil {
			all = append(all, Found{value, one.place})
		}
	}
	return all, nil
}

// evaluation is of one document.
type evaluation struct {
	*Query
	library interpreter.Interpreter
}

// item is a value, or a list whose elements have places.
type item struct {
	value    any
	elements []item // nil unless the value is such a list
	place    string
}

// plain is the value as the library knows it.
func (i item) plain() any {
	if i.elements == nil {
		return i.value
	}
	list := make([]any, len(i.elements))
	for n, one := range i.elements {
		list[n] = one.plain()
	}
	return list
}

func (e *evaluation) node(node parsing.ASTNode, at item) (item, error) {
	switch node.NodeType {
	case parsing.ASTIdentity, parsing.ASTCurrentNode:
		return at, nil
	case parsing.ASTPipe, parsing.ASTSubexpression, parsing.ASTIndexExpression:
		left, err := e.node(node.Children[0], at)
		if err != nil || left.value == nil && left.elements == nil && node.NodeType != parsing.ASTPipe {
			return item{}, err
		}
		return e.node(node.Children[1], left)
	case parsing.ASTProjection, parsing.ASTFilterProjection, parsing.ASTValueProjection:
		return e.projection(node, at)
	case parsing.ASTFlatten:
		return e.flatten(node, at)
	case parsing.ASTFunctionExpression:
		if name := node.Value; len(node.Children) == 1 && (name == "items" || name == "values") {
			return e.members(node, at, name == "items")
		}
	}
	value, err := e.library.Execute(node, at.plain())
	return item{value: value, place: at.place}, err
}

func (e *evaluation) projection(node parsing.ASTNode, at item) (item, error) {
	left, err := e.node(node.Children[0], at)
	if err != nil {
		return item{}, err
	}
	elements, many := e.elements(left)
	if node.NodeType == parsing.ASTValueProjection {
		elements, many = fields(left)
	}
	if !many {
		return item{}, nil
	}
	collected := item{elements: []item{}, place: at.place}
	for _, one := range elements {
		if node.NodeType == parsing.ASTFilterProjection {
			if holds, err := e.library.Execute(node.Children[2], one.plain()); err != nil {
				return item{}, err
			} else if util.IsFalse(holds) {
				continue
			}
		}
		right, err := e.node(node.Children[1], one)
		if err != nil {
			return item{}, err
		}
		if right.value != nil || right.elements != nil {
			right.place = one.place
			collected.elements = append(collected.elements, right)
		}
	}
	return collected, nil
}

func (e *evaluation) flatten(node parsing.ASTNode, at item) (item, error) {
	left, err := e.node(node.Children[0], at)
	if err != nil {
		return item{}, err
	}
	elements, many := e.elements(left)
	if !many {
		return item{}, nil
	}
	flat := item{elements: []item{}, place: at.place}
	for _, one := range elements {
		if inner, many := e.elements(one); many {
			flat.elements = append(flat.elements, inner...)
		} else {
			flat.elements = append(flat.elements, one)
		}
	}
	return flat, nil
}

// members are an object's, in the order of their keys: its values, or pairs of key and value.
func (e *evaluation) members(node parsing.ASTNode, at item, pairs bool) (item, error) {
	of, err := e.node(node.Children[0], at)
	if err != nil {
		return item{}, err
	}
	elements, object := fields(of)
	if !object { // the library says what is wrong
		value, err := e.library.Execute(node, at.plain())
		return item{value: value, place: at.place}, err
	}
	if pairs {
		keys := slices.Sorted(maps.Keys(of.plain().(map[string]any)))
		for i, one := range elements {
			elements[i].value = []any{keys[i], one.value}
		}
	}
	return item{elements: elements, place: at.place}, nil
}

// elements are those of a list. Each has the place that it got first.
func (e *evaluation) elements(of item) ([]item, bool) {
	if of.elements != nil {
		return of.elements, true
	}
	list, many := of.value.([]any)
	if !many {
		return nil, false
	}
	elements := make([]item, len(list))
	for i, value := range list {
		elements[i] = item{value: value, place: join(of.place, e.name(i, value))}
	}
	return elements, true
}

// name tells an element of a list apart from the others.
func (e *evaluation) name(i int, value any) string {
	if e.identity != nil {
		switch id, _ := e.library.Execute(*e.identity, value); id := id.(type) {
		case string:
			return strconv.Quote(id)
		case float64:
			return "=" + strconv.FormatFloat(id, 'g', -1, 64)
		}
	}
	return strconv.Itoa(i)
}

func fields(of item) ([]item, bool) {
	object, is := of.value.(map[string]any)
	if !is {
		return nil, false
	}
	elements := make([]item, 0, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		elements = append(elements, item{value: object[key], place: join(of.place, strconv.Quote(key))})
	}
	return elements, true
}

func join(place, name string) string {
	if place == "" {
		return name
	}
	return place + "." + name
}
