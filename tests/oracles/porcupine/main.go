// Porcupine's verdict on histories of registers.
//
// One JSON value a line: a history is the list of its operations, an operation of unknown fate has no "returned"; the
// answer is true if the history is linearizable. Values are compared as the texts that JSON makes of them.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"os"

	"github.com/anishathalye/porcupine"
)

type operation struct {
	F        string          `json:"f"`
	Key      json.RawMessage `json:"key"`
	Value    json.RawMessage `json:"value"`
	Invoked  int64           `json:"invoked"`
	Returned *int64          `json:"returned"`
}

// input is what an operation does to its register; a lost one may also have done nothing.
type input struct {
	f, key, value, old string
	lost               bool
}

func read(op operation) porcupine.Operation {
	what := input{f: op.F, key: string(op.Key), value: string(op.Value), lost: op.Returned == nil}
	if op.F == "cas" {
		var pair [2]json.RawMessage
		if err := json.Unmarshal(op.Value, &pair); err != nil {
			log.Fatalf("a cas without [old, new]: %v", err)
		}
		what.old, what.value = string(pair[0]), string(pair[1])
	}
	returned := int64(math.MaxInt64)
	if op.Returned != nil {
		returned = *op.Returned
	}
	return porcupine.Operation{Input: what, Call: op.Invoked, Return: returned}
}

// step says whether the register may do this now, and what it holds then. Appending makes lists.
func step(state, in, _ any) (bool, any) {
	holds, op := state.(string), in.(input)
	switch op.f {
	case "read":
		return holds == op.value, holds
	case "write":
		return true, op.value
	case "append":
		if holds == "null" {
			return true, "[" + op.value + "]"
		}
		return true, holds[:len(holds)-1] + "," + op.value + "]"
	case "cas":
		if holds == op.old {
			return true, op.value
		}
		return op.lost, holds
	}
	panic("unknown operation " + op.f)
}

func byKey(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	for _, op := range history {
		key := op.Input.(input).key
		parts[key] = append(parts[key], op)
	}
	split := make([][]porcupine.Operation, 0, len(parts))
	for _, part := range parts {
		split = append(split, part)
	}
	return split
}

var register = porcupine.Model{Partition: byKey, Init: func() any { return "null" }, Step: step}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		var operations []operation
		if err := json.Unmarshal(line, &operations); err != nil {
			log.Fatalf("not a list of operations: %v", err)
		}
		history := make([]porcupine.Operation, len(operations))
		for i, op := range operations {
			history[i] = read(op)
		}
		fmt.Fprintln(out, porcupine.CheckOperations(register, history))
		if err := out.Flush(); err != nil {
			log.Fatal(err)
		}
	}
}
