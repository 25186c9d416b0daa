// What etcd-io/raft's own library says to a conversation.
//
// One JSON value a line: a conversation is the list of its directives, [{"line": "campaign 1", "input": ""}, ...],
// its answer {"said": [what is said to each], "ended": why it ended before its end, if it did}. Directives are read by
// etcd's own parser and carried out by its own interpreter, package rafttest; those of the quorum arithmetic and of the
// membership changes by tables.go.
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/cockroachdb/datadriven"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/rafttest"
)

type directive struct {
	Line  string `json:"line"`
	Input string `json:"input"`
}

// patience is a source of chance that always says two: an election timeout is always 3 + 2 ticks.
type patience struct{}

func (patience) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = 2
	}
	return len(into), nil
}

// setTimeout does from outside what only the tests of package raft can do.
func setTimeout(node *raft.RawNode, ticks int) {
	field := reflect.ValueOf(node).Elem().FieldByName("raft").Elem().FieldByName("randomizedElectionTimeout")
	*(*int)(unsafe.Pointer(field.UnsafeAddr())) = ticks
}

type answer struct {
	Said  []string `json:"said"`
	Ended string   `json:"ended"`
}

func reply(directives []directive) answer {
	env := rafttest.NewInteractionEnv(&rafttest.InteractionOpts{SetRandomizedElectionTimeout: setTimeout})
	tables := newTables()
	reply := answer{Said: []string{}}
	for _, directive := range directives {
		said, err := carryOut(env, tables, directive)
		if err != nil {
			reply.Ended = err.Error()
			break
		}
		reply.Said = append(reply.Said, said)
	}
	return reply
}

// carryOut runs in a goroutine of its own, which a failed check of the interpreter (t.Fatal) ends.
func carryOut(env *rafttest.InteractionEnv, tables *tables, directive directive) (said string, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if why := recover(); why != nil {
				err = fmt.Errorf("%q: %v", directive.Line, why)
			}
		}()
		var command string
		var args []datadriven.CmdArg
		if command, args, err = datadriven.ParseLine(directive.Line); err != nil {
			return
		}
		data := datadriven.TestData{Cmd: command, CmdArgs: args, Input: directive.Input}
		if text, known := tables.handle(data); known {
			said, err = text, nil
			return
		}
		err = fmt.Errorf("the interpreter finds fault with %q", directive.Line)
		said = env.Handle(&testing.T{}, data)
		err = nil
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		log.Fatalf("%s: goes on for ever", directive.Line)
	}
	return said, err
}

func main() {
	rand.Reader = patience{}
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		var directives []directive
		if err := json.Unmarshal(line, &directives); err != nil {
			log.Fatalf("not a list of directives: %v", err)
		}
		text, err := json.Marshal(reply(directives))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintln(out, string(text))
		if err := out.Flush(); err != nil {
			log.Fatal(err)
		}
	}
}
