// A client at a steady rate: one JSON value a line for each request and for all that its informer hears.
//
// fresh-*: a new connection for each request, as kubectl; sticky<i>-*: one HTTP/2 connection that is kept, as a
// kubelet. No request waits for another, and none is tried again but by client-go itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// row is one request: when it was begun (seconds since 1970), how long it took, and what became of it.
type row struct {
	At     float64 `json:"t"`
	Millis float64 `json:"ms"`
	Kind   string  `json:"k"`
	Ok     bool    `json:"ok"`
	Code   int32   `json:"code,omitempty"`
	Reason string  `json:"reason,omitempty"`
	Error  string  `json:"err,omitempty"`
	Name   string  `json:"n,omitempty"`
}

type steady struct {
	server, token, namespace string
	patience                 time.Duration
	lock                     sync.Mutex
	out                      *json.Encoder
	open                     sync.WaitGroup
	quit                     chan struct{}
}

func (s *steady) put(r row) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.out.Encode(r); err != nil {
		log.Fatal(err)
	}
}

// connect gives a client with a connection of its own (a Dial of its own shares no transport), and what ends it.
func (s *steady) connect() (kubernetes.Interface, func()) {
	var open net.Conn
	config := &rest.Config{
		Host: s.server, BearerToken: s.token, QPS: 1000, Burst: 1000, UserAgent: "steady",
		TLSClientConfig: rest.TLSClientConfig{Insecure: true},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
			connection, err := dialer.DialContext(ctx, network, address)
			open = connection
			return connection, err
		},
	}
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	return set, func() {
		if open != nil {
			open.Close()
		}
	}
}

func (s *steady) do(set kubernetes.Interface, kind, what, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	maps, began := set.CoreV1().ConfigMaps(s.namespace), time.Now()
	var err error
	switch what {
	case "read":
		_, err = maps.Get(ctx, "seed", metav1.GetOptions{})
	case "list":
		_, err = maps.List(ctx, metav1.ListOptions{LabelSelector: "seed=yes"})
	case "rv0":
		_, err = maps.List(ctx, metav1.ListOptions{LabelSelector: "seed=yes", ResourceVersion: "0"})
	case "write":
		_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	}
	r := row{At: float64(began.UnixMicro()) / 1e6, Kind: kind + "-" + what, Ok: err == nil}
	r.Millis = float64(time.Since(began).Microseconds()) / 1000
	if what == "write" {
		r.Name = name
	}
	if err != nil {
		r.Error = err.Error()
		var status apierrors.APIStatus
		if errors.As(err, &status) {
			r.Code, r.Reason = status.Status().Code, string(status.Status().Reason)
		}
	}
	s.put(r)
}

// every does something at a steady pace, each time beside what still runs.
func (s *steady) every(pause time.Duration, something func(number int)) {
	ticks := time.NewTicker(pause)
	go func() {
		defer ticks.Stop()
		for number := 0; ; number++ {
			select {
			case <-s.quit:
				return
			case <-ticks.C:
				s.open.Add(1)
				go func() {
					defer s.open.Done()
					something(number)
				}()
			}
		}
	}()
}

func (s *steady) fresh(what string) func(int) {
	return func(number int) {
		set, end := s.connect()
		defer end()
		s.do(set, "fresh", what, fmt.Sprintf("w-f-%d", number))
	}
}

func (s *steady) sticky(client int, pause time.Duration) {
	set, _ := s.connect()
	kind := fmt.Sprintf("sticky%d", client)
	s.every(pause, func(int) { s.do(set, kind, "read", "") })
	s.every(pause, func(n int) { s.do(set, kind, "write", fmt.Sprintf("w-s%d-%d", client, n)) })
}

// heard is the store of an informer that also says what it is told.
type heard struct {
	cache.Store
	s *steady
}

func (h heard) note(kind string, object any) {
	if m, ok := object.(*corev1.ConfigMap); ok {
		h.s.put(row{At: float64(time.Now().UnixMicro()) / 1e6, Kind: kind, Ok: true, Name: m.Name})
	}
}

func (h heard) Add(object any) error {
	h.note("watch-add", object)
	return h.Store.Add(object)
}

func (h heard) Replace(items []any, version string) error {
	h.s.put(row{At: float64(time.Now().UnixMicro()) / 1e6, Kind: "watch-replace", Ok: true, Millis: float64(len(items))})
	return h.Store.Replace(items, version)
}

func (s *steady) inform() {
	set, _ := s.connect()
	source := cache.NewListWatchFromClient(set.CoreV1().RESTClient(), "configmaps", s.namespace, fields.Everything())
	store := heard{cache.NewStore(cache.MetaNamespaceKeyFunc), s}
	informer := cache.NewReflectorWithOptions(source, &corev1.ConfigMap{}, store, cache.ReflectorOptions{Name: "steady"})
	go informer.Run(s.quit)
}

func client() {
	s := &steady{quit: make(chan struct{})}
	flags := flag.NewFlagSet("client", flag.ExitOnError)
	flags.StringVar(&s.server, "server", "", "https://HOST:PORT")
	flags.StringVar(&s.token, "token", "", "bearer token")
	flags.StringVar(&s.namespace, "namespace", "", "where its configmaps are")
	flags.DurationVar(&s.patience, "timeout", 65*time.Second, "of a request")
	sticky := flags.Int("sticky", 3, "clients that keep a connection")
	pause := flags.Duration("every", 500*time.Millisecond, "between two requests of a kind of a sticky client")
	rate := flags.Float64("rate", 2, "fresh reads and writes a second; half of that of each LIST")
	during := flags.Duration("for", time.Minute, "how long")
	path := flags.String("out", "", "file of the answers")
	if err := flags.Parse(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
	file, err := os.Create(*path)
	if err != nil {
		log.Fatal(err)
	}
	s.out = json.NewEncoder(file)
	fresh := time.Duration(float64(time.Second) / *rate)
	s.every(fresh, s.fresh("read"))
	s.every(fresh, s.fresh("write"))
	s.every(2*fresh, s.fresh("list"))
	s.every(2*fresh, s.fresh("rv0"))
	for number := range *sticky {
		s.sticky(number, *pause)
	}
	s.inform()
	time.Sleep(*during)
	close(s.quit)
	s.open.Wait()
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
}
