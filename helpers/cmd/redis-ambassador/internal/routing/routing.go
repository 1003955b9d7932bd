// Package routing says which server a command belongs to.
package routing

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// Kind is where a command goes, and what it does to the connection.
type Kind uint8

// The kinds of commands.
const (
	Read    Kind = iota // goes where the read policy says
	Write               // goes to the primary, and reads after it may have to
	Primary             // goes to the primary, and isn't a write
	Scan                // Primary, and has a cursor, which is one server's
	Blocks              // goes to the primary, which may answer late
	Waits               // Blocks, and is about the writes of its connection
	Setup               // goes to the primary; what it changed is repeated to the replica
	Multi
	Exec
	Discard
	Watch
	Unwatch
	Pipe // from here on everything goes to the primary
	Reset
	Quit
	Refused
)

// unknown stands for a command that no server has told of: nothing is known to speak against it.
const unknown = Write

// longest is the length up to which names are looked up; longer ones are the primary's to refuse.
const longest = 64

// Table knows the commands of a server.
type Table struct {
	entries map[string]entry // of commands, and of "command subcommand"
}

type entry struct {
	kind      Kind
	shareable bool
	divided   bool // it has subcommands
}

// NewTable makes a table from the reply to COMMAND.
func NewTable(reply resp.Value) (*Table, error) {
	list, _ := reply.([]resp.Value)
	t := &Table{entries: make(map[string]entry, len(list))}
	for _, command := range list {
		t.add(command, "")
	}
	if len(t.entries) == 0 {
		return nil, errors.New("the reply to COMMAND has no commands")
	}
	t.rule()
	return t, nil
}

// unasked is the table while no server could be asked.
var unasked = sync.OnceValue(func() *Table {
	t := &Table{entries: map[string]entry{}}
	t.rule()
	return t
})

func (t *Table) rule() {
	for name, kind := range rules {
		t.set(name, kind)
		if container, _, sub := strings.Cut(name, " "); sub {
			t.divide(container)
		}
	}
}

func (t *Table) set(name string, kind Kind) {
	e := t.entries[name]
	e.kind = kind
	t.entries[name] = e
}

func (t *Table) divide(name string) {
	e, known := t.entries[name]
	if !known {
		e.kind = unknown
	}
	e.divided = true
	t.entries[name] = e
}

// add enters a command: its name is the first element, its flags the third, its subcommands, since Redis 7, the tenth.
func (t *Table) add(command resp.Value, container string) {
	fields, _ := command.([]resp.Value)
	if len(fields) < 3 {
		return
	}
	name, _ := fields[0].(string)
	_, sub, divided := strings.Cut(name, "|") // subcommands are told as "object|encoding"
	if divided {
		name = container + " " + sub
	}
	name = strings.ToLower(name)
	flags, _ := fields[2].([]resp.Value)
	kind, ruled := rules[container]
	if !ruled {
		kind = byFlags(flags)
	}
	t.set(name, kind)
	t.share(name, container, flags)
	if len(fields) < 10 {
		return
	}
	if subcommands, _ := fields[9].([]resp.Value); len(subcommands) > 0 {
		t.divide(name)
		for _, s := range subcommands {
			t.add(s, name)
		}
	}
}

// byFlags tells the kind by the flags of COMMAND (https://redis.io/docs/latest/commands/command/#flags).
func byFlags(flags []resp.Value) Kind {
	kind := Primary
	for _, flag := range flags {
		switch flag {
		case "blocking":
			return Blocks
		case "readonly":
			kind = Read
		case "write":
			kind = Write
		}
	}
	return kind
}

// share notes whether a command may be sent between those of others: it has to be about data alone, and to be answered
// at once.
func (t *Table) share(name, container string, flags []resp.Value) {
	about := slices.Contains(flags, resp.Value("readonly")) || slices.Contains(flags, resp.Value("write"))
	apart := slices.Contains(flags, resp.Value("blocking")) || slices.Contains(flags, resp.Value("module"))
	e := t.entries[name]
	e.shareable = (about && !apart || alwaysShared[name]) && !neverShared[name] && !neverShared[container]
	t.entries[name] = e
}

// Of tells the kind of a command by its first arguments, and whether it may be sent over a connection that others use.
// A nil Table, while no server could be asked, knows the rules only.
func (t *Table) Of(args [][]byte) (kind Kind, shareable bool) {
	if t == nil {
		t = unasked()
	}
	var space [2*longest + 1]byte
	name := lower(space[:0], args[0])
	e, known := t.entries[string(name)]
	if e.divided && len(args) > 1 {
		whole := lower(append(name, ' '), args[1])
		if sub, known := t.entries[string(whole)]; known {
			return sub.kind, sub.shareable
		}
	}
	switch {
	case !known:
		return unknown, false
	case e.kind == Blocks && string(name) == "xread" && !blocks(args):
		return Read, false
	case e.kind == Blocks && string(name) == "xreadgroup" && !blocks(args):
		return Write, false
	}
	return e.kind, e.shareable
}

// blocks tells whether an XREAD or XREADGROUP has the option BLOCK, which stands before STREAMS. Like Redis it passes over
// the values of options, which may have the names of options (t_stream.c: xreadCommand). What it can't read may block.
func blocks(args [][]byte) bool {
	for i := 1; i < len(args); i++ {
		switch arg := args[i]; {
		case bytes.EqualFold(arg, []byte("streams")):
			return false
		case bytes.EqualFold(arg, []byte("count")):
			i++
		case bytes.EqualFold(arg, []byte("group")):
			i += 2
		case !bytes.EqualFold(arg, []byte("noack")):
			return true
		}
	}
	return true
}

func lower(to, name []byte) []byte {
	if len(name) > longest {
		return to
	}
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}
