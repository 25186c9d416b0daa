// What the evaluators of kube-network-policies say of packets: a world a line on stdin, its verdicts a line on stdout.
//
// A world: {pods, namespaces, nodes, policies, cluster, packets: [[source, destination, port, protocol]]}; a verdict:
// [egress allowed, ingress allowed]. The objects go straight into the informers' stores; there is no API server.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"net"
	"os"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	npa "sigs.k8s.io/network-policy-api/apis/v1alpha2"
	npainformers "sigs.k8s.io/network-policy-api/pkg/client/informers/externalversions"

	"sigs.k8s.io/kube-network-policies/pkg/api"
	"sigs.k8s.io/kube-network-policies/pkg/network"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
	cluster "sigs.k8s.io/kube-network-policies/plugins/npa-v1alpha2"
)

type world struct {
	Pods       []*v1.Pod
	Namespaces []*v1.Namespace
	Nodes      []*v1.Node
	Policies   []*networkingv1.NetworkPolicy
	Cluster    []*npa.ClusterNetworkPolicy
	Packets    [][4]any
}

func put[T any](store cache.Store, objects []T) {
	for _, object := range objects {
		if err := store.Add(object); err != nil {
			log.Fatal(err)
		}
	}
}

func (w world) evaluators() []api.PolicyEvaluator {
	core := informers.NewSharedInformerFactory(nil, 0)
	custom := npainformers.NewSharedInformerFactory(nil, 0)
	namespaces, pods, nodes := core.Core().V1().Namespaces(), core.Core().V1().Pods(), core.Core().V1().Nodes()
	policies, clusters := core.Networking().V1().NetworkPolicies(), custom.Policy().V1alpha2().ClusterNetworkPolicies()
	found := []api.PolicyEvaluator{
		cluster.NewClusterNetworkPolicy(npa.AdminTier, clusters, nil, nodes.Lister()),
		networkpolicy.NewStandardNetworkPolicy("", namespaces, pods, policies),
		cluster.NewClusterNetworkPolicy(npa.BaselineTier, clusters, nil, nodes.Lister()),
	}
	put(namespaces.Informer().GetStore(), w.Namespaces)
	put(pods.Informer().GetStore(), w.Pods)
	put(nodes.Informer().GetStore(), w.Nodes)
	put(policies.Informer().GetStore(), w.Policies)
	put(clusters.Informer().GetStore(), w.Cluster)
	return found
}

// known finds the pods by their addresses; a pod on the host's network has none of its own.
func (w world) known() map[string]*api.PodInfo {
	labels, found := map[string]map[string]string{}, map[string]*api.PodInfo{}
	for _, namespace := range w.Namespaces {
		labels[namespace.Name] = namespace.Labels
	}
	for _, pod := range w.Pods {
		if !pod.Spec.HostNetwork {
			found[pod.Status.PodIP] = api.NewPodInfo(pod, labels[pod.Namespace], nil, "")
		}
	}
	return found
}

func first(verdicts []api.Verdict) bool {
	for _, verdict := range verdicts {
		if verdict != api.VerdictNext {
			return verdict == api.VerdictAccept
		}
	}
	return true
}

func (w world) judged() [][2]bool {
	evaluators, pods, ctx, said := w.evaluators(), w.known(), context.Background(), [][2]bool{}
	for _, asked := range w.Packets {
		source, destination := asked[0].(string), asked[1].(string)
		packet := &network.Packet{
			Family: v1.IPv4Protocol, SrcIP: net.ParseIP(source), DstIP: net.ParseIP(destination),
			Proto: v1.Protocol(asked[3].(string)), SrcPort: 40000, DstPort: int(asked[2].(float64)),
		}
		var out, in []api.Verdict
		for _, evaluator := range evaluators {
			leaving, err := evaluator.EvaluateEgress(ctx, packet, pods[source], pods[destination])
			if err != nil {
				log.Fatal(err)
			}
			entering, err := evaluator.EvaluateIngress(ctx, packet, pods[source], pods[destination])
			if err != nil {
				log.Fatal(err)
			}
			out, in = append(out, leaving), append(in, entering)
		}
		said = append(said, [2]bool{first(out), first(in)})
	}
	return said
}

func main() {
	lines, answers := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for decoder := json.NewDecoder(lines); decoder.More(); {
		var asked world
		if err := decoder.Decode(&asked); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(asked.judged()); err != nil {
			log.Fatal(err)
		}
	}
}
