// The real control plane in one program: Kubernetes' servers, kubectl, a hollow node, etcd, and a client that keeps
// the fate of every request.
//
// Which one it is says the name that it is called by, or else its first argument, as with BusyBox: their common
// packages are compiled and linked once. Each is what upstream's own main says, nothing is set differently.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // for CronJobs

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubemark "k8s.io/kubernetes/cmd/kubemark/app"
)

func server(command func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(command())) }
}

var programs = map[string]func(){
	"kube-apiserver":          server(func() *cobra.Command { return apiserver.NewAPIServerCommand() }),
	"kube-controller-manager": server(func() *cobra.Command { return manager.NewControllerManagerCommand() }),
	"kube-proxy":              server(func() *cobra.Command { return proxy.NewProxyCommand() }),
	"kube-scheduler":          server(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubemark":                server(func() *cobra.Command { return kubemark.NewHollowNodeCommand() }),
	"kubectl": func() {
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			util.CheckErr(err)
		}
	},
	"etcd":   func() { etcdmain.Main(os.Args) },
	"client": client,
}

func main() {
	if run := programs[filepath.Base(os.Args[0])]; run != nil {
		run()
		return
	}
	if len(os.Args) > 1 {
		if run := programs[os.Args[1]]; run != nil {
			os.Args = os.Args[1:]
			run()
			return
		}
	}
	names := make([]string, 0, len(programs))
	for name := range programs {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintln(os.Stderr, "say first which program this is to be: "+strings.Join(names, ", "))
	os.Exit(2)
}
