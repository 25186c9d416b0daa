// The real scheduler's own plugins, asked about clusters: one a line on stdin, what they say a line on stdout.
//
// Framework, profile and plugins are those that kube-scheduler builds for itself, over informers of a client that holds
// the objects; the snapshot is made of them, too. No API server, no queue, no search that ends early.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"os"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	fwk "k8s.io/kube-scheduler/framework"
	kubescheduler "k8s.io/kubernetes/pkg/scheduler"
	internalcache "k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

const attempts = 6 // at what follows from where preemption begins to look, which is chance

type scene struct {
	Nodes      []*v1.Node
	Pods       []*v1.Pod
	Pod        *v1.Pod
	Namespaces []*v1.Namespace
	Services   []*v1.Service
	Sets       []*appsv1.ReplicaSet
	Budgets    []*policyv1.PodDisruptionBudget
	Volumes    []*v1.PersistentVolume
	Claims     []*v1.PersistentVolumeClaim
	Classes    []*storagev1.StorageClass
	Drivers    []*storagev1.CSINode
}

type refusal struct {
	Plugin  string   `json:"plugin"`
	Code    string   `json:"code"`
	Reasons []string `json:"reasons"`
}

type verdict struct {
	Prefilter *refusal                       `json:"prefilter"`
	Filter    map[string]*refusal            `json:"filter"` // of nodes that were asked; null: it fits
	Scores    map[string]map[string][2]int64 `json:"scores"` // raw, weighted
	Totals    map[string]int64               `json:"totals"`
	Message   string                         `json:"message"`
	Nominated map[string]string              `json:"nominated"` // by chance one of these nodes: the message with it
}

func said(status *fwk.Status) *refusal {
	if status.IsSuccess() {
		return nil
	}
	return &refusal{status.Plugin(), status.Code().String(), status.Reasons()}
}

func all[T runtime.Object](objects []T) (found []runtime.Object) {
	for _, object := range objects {
		found = append(found, object)
	}
	return found
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// frameworkOf gives the scheduler's framework over the scene, and its snapshot.
func frameworkOf(ctx context.Context, s scene) (framework.Framework, *internalcache.Snapshot) {
	client := fake.NewSimpleClientset(slices.Concat(
		all(s.Nodes), all(s.Pods), all([]*v1.Pod{s.Pod}), all(s.Namespaces), all(s.Services), all(s.Sets),
		all(s.Budgets), all(s.Volumes), all(s.Claims), all(s.Classes), all(s.Drivers),
	)...)
	factory := informers.NewSharedInformerFactory(client, 0)
	there := slices.DeleteFunc(slices.Clone(s.Pods), func(pod *v1.Pod) bool { return pod.Spec.NodeName == "" })
	snapshot := internalcache.NewSnapshot(there, s.Nodes)
	recorders := profile.NewRecorderFactory(events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()}))
	made, err := kubescheduler.New(ctx, client, factory, nil, recorders, kubescheduler.WithNodeInfoSnapshot(snapshot))
	must(err)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	must(made.WaitForHandlersSync(ctx))
	return made.Profiles[v1.DefaultSchedulerName], snapshot
}

// decided does what Scheduler.schedulePod does, for every node.
func decided(ctx context.Context, s scene) verdict {
	profile, snapshot := frameworkOf(ctx, s)
	found := verdict{Filter: map[string]*refusal{}}
	state, diagnosis := framework.NewCycleState(), framework.Diagnosis{NodeToStatus: framework.NewDefaultNodeToStatus()}
	narrowed, status, by := profile.RunPreFilterPlugins(ctx, state, s.Pod)
	if !status.IsSuccess() {
		found.Prefilter = said(status)
		diagnosis.PreFilterMsg = status.Message()
		diagnosis.NodeToStatus.SetAbsentNodesStatus(status)
		return refused(ctx, profile, state, s, diagnosis, found)
	}
	nodes, err := snapshot.NodeInfos().List()
	must(err)
	if !narrowed.AllNodes() {
		elsewhere := func(node fwk.NodeInfo) bool { return !narrowed.NodeNames.Has(node.Node().Name) }
		nodes = slices.DeleteFunc(slices.Clone(nodes), elsewhere)
		why := "node(s) didn't satisfy plugin(s) [" + strings.Join(sets.List(by), " ") + "]"
		diagnosis.NodeToStatus.SetAbsentNodesStatus(fwk.NewStatus(fwk.UnschedulableAndUnresolvable, why))
	}
	fitting := []fwk.NodeInfo{}
	for _, node := range nodes {
		status := profile.RunFilterPluginsWithNominatedPods(ctx, state, s.Pod, node)
		found.Filter[node.Node().Name] = said(status)
		if status.IsSuccess() {
			fitting = append(fitting, node)
		} else {
			diagnosis.NodeToStatus.Set(node.Node().Name, status)
		}
	}
	if len(fitting) == 0 {
		return refused(ctx, profile, state, s, diagnosis, found)
	}
	return scored(ctx, profile, state, s, fitting, found)
}

func scored(ctx context.Context, profile framework.Framework, state fwk.CycleState, s scene, fitting []fwk.NodeInfo, found verdict) verdict {
	if status := profile.RunPreScorePlugins(ctx, state, s.Pod, fitting); !status.IsSuccess() {
		found.Message = status.AsError().Error()
		return found
	}
	scores, status := profile.RunScorePlugins(ctx, state, s.Pod, fitting)
	if !status.IsSuccess() {
		found.Message = status.AsError().Error()
		return found
	}
	found.Scores, found.Totals = map[string]map[string][2]int64{}, map[string]int64{}
	for _, node := range scores {
		given := map[string][2]int64{}
		for at, plugin := range node.Scores {
			given[plugin.Name] = [2]int64{node.RawScores[at].Score, plugin.Score}
		}
		found.Scores[node.Name], found.Totals[node.Name] = given, node.TotalScore
	}
	return found
}

func refused(ctx context.Context, profile framework.Framework, state fwk.CycleState, s scene, diagnosis framework.Diagnosis, found verdict) verdict {
	told := func(message string) string {
		diagnosis.PostFilterMsg = message
		return (&framework.FitError{Pod: s.Pod, NumAllNodes: len(s.Nodes), Diagnosis: diagnosis}).Error()
	}
	found.Nominated = map[string]string{}
	for range attempts {
		result, status := profile.RunPostFilterPlugins(ctx, state, s.Pod, diagnosis.NodeToStatus)
		found.Message = told(status.Message())
		if status.IsSuccess() && result.NominatingInfo != nil {
			found.Nominated[result.NominatedNodeName] = found.Message
		}
	}
	return found
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var s scene
		must(json.Unmarshal(lines.Bytes(), &s))
		ctx, cancel := context.WithCancel(context.Background())
		must(out.Encode(decided(ctx, s)))
		cancel()
	}
	must(lines.Err())
}
