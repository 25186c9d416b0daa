// How the types of Kubernetes' API look on the wire in protobuf: definition, then number:field:type of each field.
package main

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
)

var wired = map[reflect.Type]string{}

var leaves = map[string]string{
	"v1.Time":              "time",
	"v1.MicroTime":         "microtime",
	"resource.Quantity":    "quantity",
	"intstr.IntOrString":   "int-or-string",
	"v1.FieldsV1":          "raw",
	"runtime.RawExtension": "raw",
	"v1.JSON":              "raw",
}

// form is a type as wire.txt writes it: * a pointer, [] repeated, {} a map from text.
func form(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + form(t.Elem())
	case reflect.Map:
		return "{}" + form(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		if t.Name() != "" && t.Elem().Kind() == reflect.String {
			return "texts" // a list of texts that is a message of its own
		}
		return "[]" + form(t.Elem())
	case reflect.Struct:
		if leaf := leaves[t.String()]; leaf != "" {
			return leaf
		}
		wire(t)
		return name(t)
	case reflect.Float64:
		return "double"
	default:
		return t.Kind().String()
	}
}

func wire(t reflect.Type) {
	if wired[t] != "" {
		return
	}
	wired[t] = "?"
	said := []string{}
	for number := range t.NumField() {
		field := t.Field(number)
		tag := strings.Split(field.Tag.Get("protobuf"), ",")
		if len(tag) < 2 {
			continue
		}
		json := strings.Split(field.Tag.Get("json"), ",")
		name := json[0]
		if field.Anonymous && name == "" {
			name = "~" // its fields stand among those of what holds it
		}
		if name == "" {
			name = field.Name
		}
		said = append(said, fmt.Sprintf("%s:%s:%s", tag[1], name, form(field.Type)))
	}
	if len(said) > 0 {
		wired[t] = name(t) + " " + strings.Join(said, " ")
	}
}

func printWire(types []reflect.Type) {
	for _, t := range types {
		if strings.HasPrefix(t.PkgPath(), "k8s.io/") && !strings.HasSuffix(t.PkgPath(), "/__internal") {
			form(t)
		}
	}
	lines := []string{}
	for _, line := range wired {
		if line != "?" {
			lines = append(lines, line)
		}
	}
	sort.Strings(lines)
	fmt.Println(strings.Join(lines, "\n"))
}
