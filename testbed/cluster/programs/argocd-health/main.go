// Argocd-health judges objects by a health script in Lua, as Argo CD does. It reads objects as JSON from its standard input
// and writes a line for each to its standard output: the status, a tab and the message.
//
//	kubectl get sidecarapp site --output=json | argocd-health health.lua
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	lua "github.com/yuin/gopher-lua"
)

func main() {
	script, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	if err := judge(string(script), os.Stdin, out); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func judge(script string, in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	for {
		var object any
		if err := decoder.Decode(&object); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		health, err := run(script, object)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\t%s\n", health.RawGetString("status"), health.RawGetString("message")); err != nil {
			return err
		}
	}
}

// run returns what the script makes of the object, which is its global variable obj. Only the libraries are open that Argo CD
// opens without the setting useOpenLibs.
func run(script string, object any) (*lua.LTable, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		call := lua.P{Fn: state.NewFunction(library.open), Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return nil, err
		}
	}
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	health, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return nil, fmt.Errorf("the script returns a %s, no table", state.Get(-1).Type())
	}
	return health, nil
}

func value(state *lua.LState, of any) lua.LValue {
	switch of := of.(type) {
	case bool:
		return lua.LBool(of)
	case float64:
		return lua.LNumber(of)
	case string:
		return lua.LString(of)
	case []any:
		table := state.NewTable()
		for _, item := range of {
			table.Append(value(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range of {
			table.RawSetString(key, value(state, item))
		}
		return table
	}
	return lua.LNil
}
