package session

import (
	"slices"
	"strings"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// setup holds the commands with which a client has set up its connection, to repeat them on another one.
type setup struct {
	commands []setupCommand
	version  int // grows with each change
}

type setupCommand struct {
	aspect string // what it sets; a later one takes an earlier one's place
	args   []string
}

// The order in which a new connection is set up: first who it is, for the rest may need that.
var aspects = []string{"AUTH", "HELLO"}

func (s *setup) change(commands []setupCommand) {
	for _, c := range commands {
		s.commands = slices.DeleteFunc(s.commands, func(old setupCommand) bool { return old.aspect == c.aspect })
		s.commands = append(s.commands, c)
	}
	slices.SortStableFunc(s.commands, func(a, b setupCommand) int { return rank(a) - rank(b) })
	s.version++
}

// with is the setup after further commands.
func (s *setup) with(commands []setupCommand) *setup {
	next := &setup{commands: slices.Clone(s.commands), version: s.version}
	next.change(commands)
	return next
}

func rank(c setupCommand) int {
	if i := slices.Index(aspects, c.aspect); i >= 0 {
		return i
	}
	return len(aspects)
}

// request returns the commands to be sent over a new connection, and their number. A client that has logged in itself
// counts for more than the configuration.
func (s *setup) request(access topology.Access) (request []byte, commands int) {
	if auth := access.Auth(); auth != nil && (len(s.commands) == 0 || s.commands[0].aspect != "AUTH") {
		request, commands = resp.Append(request, auth...), 1
	}
	for _, c := range s.commands {
		request = resp.Append(request, c.args...)
		commands++
	}
	return request, commands
}

// setupCommands tells what a command of the kind routing.Setup sets if it succeeds.
func setupCommands(raw [][]byte) []setupCommand {
	args := make([]string, len(raw))
	for i, arg := range raw {
		args[i] = string(arg)
	}
	switch strings.ToUpper(args[0]) {
	case "AUTH":
		return []setupCommand{{"AUTH", args}}
	case "SELECT":
		return []setupCommand{{"SELECT", args}}
	case "HELLO":
		return hello(args)
	case "CLIENT":
		aspect := strings.ToUpper(args[1])
		if aspect == "SETINFO" && len(args) > 2 {
			aspect += " " + strings.ToUpper(args[2]) // LIB-NAME or LIB-VER
		}
		return []setupCommand{{aspect, args}}
	}
	return nil
}

// hello takes HELLO [version [AUTH user password] [SETNAME name]] apart.
func hello(args []string) []setupCommand {
	if len(args) < 2 {
		return nil // only a question
	}
	all := []setupCommand{{"HELLO", args[:2]}}
	for i := 2; i < len(args); {
		switch option := strings.ToUpper(args[i]); {
		case option == "AUTH" && i+2 < len(args):
			all = append(all, setupCommand{"AUTH", []string{"AUTH", args[i+1], args[i+2]}})
			i += 3
		case option == "SETNAME" && i+1 < len(args):
			all = append(all, setupCommand{"SETNAME", []string{"CLIENT", "SETNAME", args[i+1]}})
			i += 2
		default:
			i++
		}
	}
	return all
}
