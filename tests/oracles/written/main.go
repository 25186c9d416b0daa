// What Go writes of the types of Kubernetes' API when a field is zero: definition, then field=zero; field=- where it
// leaves out what is zero, though somebody gave it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

var seen = map[reflect.Type]string{}

func name(t reflect.Type) string {
	parts := strings.Split(t.PkgPath(), "/")
	return strings.Join(append(parts[len(parts)-2:], t.Name()), ".")
}

// own says whether a type writes itself.
func own(t reflect.Type) bool {
	marshaler := reflect.TypeOf((*json.Marshaler)(nil)).Elem()
	return t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler)
}

// plain adds the fields that are plain values and left out when they are zero.
func plain(t reflect.Type, zero map[string]json.RawMessage, said *[]string) {
	for number := range t.NumField() {
		field := t.Field(number)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch field.Type.Kind() {
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
			if _, written := zero[name]; !written && name != "" && name != "-" {
				*said = append(*said, name+"=-")
			}
		case reflect.Struct:
			if field.Anonymous && name == "" {
				plain(field.Type, zero, said)
			}
		}
	}
}

func visit(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] != "" || !strings.HasPrefix(t.PkgPath(), "k8s.io/") {
		return
	}
	seen[t] = "?"
	zero := map[string]json.RawMessage{}
	if text, err := json.Marshal(reflect.New(t).Interface()); err == nil {
		_ = json.Unmarshal(text, &zero)
	}
	said := []string{}
	for field, value := range zero {
		if string(value)[0] == '{' {
			value = json.RawMessage("{}")
		}
		said = append(said, field+"="+string(value))
	}
	plain(t, zero, &said)
	sort.Strings(said)
	seen[t] = name(t) + " " + strings.Join(said, " ")
	if own(t) || len(said) == 0 {
		seen[t] = "?"
	}
	for number := range t.NumField() {
		visit(t.Field(number).Type)
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "template" {
		printTemplate()
		return
	}
	everything := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme} {
		if err := add(everything); err != nil {
			panic(err)
		}
	}
	wired := len(os.Args) > 1 && os.Args[1] == "wire"
	if wired {
		if err := meta.AddMetaToScheme(everything); err != nil {
			panic(err)
		}
	}
	types := []reflect.Type{}
	for _, t := range everything.AllKnownTypes() {
		types = append(types, t)
	}
	if wired {
		printWire(types)
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "names" {
		printNames(types)
		return
	}
	for _, t := range types {
		visit(t)
	}
	lines := []string{}
	for _, line := range seen {
		if line != "?" {
			lines = append(lines, line)
		}
	}
	sort.Strings(lines)
	fmt.Println(strings.Join(lines, "\n"))
}
