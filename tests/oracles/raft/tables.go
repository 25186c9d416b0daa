package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cockroachdb/datadriven"
	"go.etcd.io/raft/v3/confchange"
	"go.etcd.io/raft/v3/quorum"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// tables answers what the two pure packages of the library are asked: simple, enter-joint and leave-joint change one
// configuration after the other; committed and vote are questions about cfg, joint with cfgj if that is given.
type tables struct {
	changer confchange.Changer
}

func newTables() *tables {
	return &tables{confchange.Changer{Tracker: tracker.MakeProgressTracker(10, 0)}}
}

func (t *tables) handle(d datadriven.TestData) (said string, known bool) {
	switch d.Cmd {
	case "simple", "enter-joint", "leave-joint":
		return t.change(d), true
	case "committed", "vote":
		return count(d), true
	}
	return "", false
}

func (t *tables) change(d datadriven.TestData) string {
	defer func() { t.changer.LastIndex++ }()
	changes, err := pb.ConfChangesFromString(d.Input)
	if err != nil {
		return err.Error()
	}
	var config tracker.Config
	var progress tracker.ProgressMap
	switch d.Cmd {
	case "simple":
		config, progress, err = t.changer.Simple(changes...)
	case "enter-joint":
		config, progress, err = t.changer.EnterJoint(len(values(d, "autoleave")) == 1 && values(d, "autoleave")[0] == "true", changes...)
	default:
		config, progress, err = t.changer.LeaveJoint()
	}
	if err != nil {
		return err.Error()
	}
	t.changer.Tracker.Config, t.changer.Tracker.Progress = config, progress
	return fmt.Sprintf("%s\n%s", config, progress)
}

// known is what has been acknowledged, by voter.
type known map[uint64]quorum.Index

func (k known) AckedIndex(voter uint64) (quorum.Index, bool) {
	index, ok := k[voter]
	return index, ok
}

func values(d datadriven.TestData, name string) []string {
	for _, arg := range d.CmdArgs {
		if arg.Key == name {
			return arg.Vals
		}
	}
	return nil
}

// majorities are cfg and cfgj, with all voters in the order in which they are named; cfgj=zero is an empty one.
func majorities(d datadriven.TestData) (joint quorum.JointConfig, voters []uint64) {
	joint = quorum.JointConfig{quorum.MajorityConfig{}, quorum.MajorityConfig{}}
	for half, name := range []string{"cfg", "cfgj"} {
		for _, value := range values(d, name) {
			voter, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				continue
			}
			if _, again := joint.IDs()[voter]; !again {
				voters = append(voters, voter)
			}
			joint[half][voter] = struct{}{}
		}
	}
	return joint, voters
}

func count(d datadriven.TestData) string {
	joint, voters := majorities(d)
	alone := values(d, "cfgj") == nil
	if d.Cmd == "vote" {
		votes := map[uint64]bool{}
		for i, text := range values(d, "votes") {
			if text != "_" && text != "" {
				votes[voters[i]] = text == "y"
			}
		}
		if alone {
			return joint[0].VoteResult(votes).String()
		}
		return joint.VoteResult(votes).String()
	}
	acked := known{}
	for i, text := range values(d, "idx") {
		if index, err := strconv.ParseUint(text, 10, 64); err == nil {
			acked[voters[i]] = quorum.Index(index)
		}
	}
	var said strings.Builder
	if alone {
		fmt.Fprintf(&said, "%s%s", joint[0].Describe(acked), joint[0].CommittedIndex(acked))
	} else {
		fmt.Fprintf(&said, "%s%s", joint.Describe(acked), joint.CommittedIndex(acked))
	}
	return said.String()
}
