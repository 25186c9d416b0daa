// The Go types of a pod template: a struct, then its fields (Go's name, JSON's or - if embedded, type); a named type =
// what it is. Times and quantities write themselves and stay closed.
package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

var closed = map[string]bool{"v1.Time": true, "resource.Quantity": true, "intstr.IntOrString": true}

func printTemplate() {
	structs, named := map[string][]string{}, map[string]string{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Struct:
			if _, known := structs[t.String()]; known || closed[t.String()] {
				return
			}
			structs[t.String()] = nil
			for number := range t.NumField() {
				field := t.Field(number)
				key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				if key == "" {
					key = "-"
				}
				structs[t.String()] = append(structs[t.String()], fmt.Sprintf(" %s %s %s", field.Name, key, field.Type))
				walk(field.Type)
			}
			return
		case reflect.Map:
			walk(t.Key())
			walk(t.Elem())
		case reflect.Pointer, reflect.Slice:
			walk(t.Elem())
		}
		if t.PkgPath() != "" {
			what := t.Kind().String()
			if t.Kind() == reflect.Map {
				what = fmt.Sprintf("map[%s]%s", t.Key(), t.Elem())
			}
			named[t.String()] = what
		}
	}
	walk(reflect.TypeFor[core.PodTemplateSpec]())
	for _, one := range slices.Sorted(maps.Keys(structs)) {
		fmt.Println(strings.Join(append([]string{one}, structs[one]...), "\n"))
	}
	for _, one := range slices.Sorted(maps.Keys(named)) {
		fmt.Println(one, "=", named[one])
	}
}
