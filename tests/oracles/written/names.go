// What Go calls the types of fields that are texts or numbers under a name of their own: definition, then field=type.
package main

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
)

// named is the name of a plain type of one's own, whether it stands alone, in a list or in a map; "" if it has none.
func named(t reflect.Type) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64:
		if t.PkgPath() != "" {
			return t.String()
		}
	}
	return ""
}

// fields adds those of a struct and of what is embedded in it.
func fields(t reflect.Type, said *[]string) {
	for number := range t.NumField() {
		field := t.Field(number)
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && key == "" && field.Type.Kind() == reflect.Struct {
			fields(field.Type, said)
		} else if called := named(field.Type); called != "" && key != "" && key != "-" {
			*said = append(*said, key+"="+called)
		}
	}
}

func printNames(types []reflect.Type) {
	found, visited := map[string]string{}, map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || visited[t] || !strings.HasPrefix(t.PkgPath(), "k8s.io/") {
			return
		}
		visited[t] = true
		said := []string{}
		fields(t, &said)
		sort.Strings(said)
		if len(said) > 0 {
			found[name(t)] = strings.Join(said, " ")
		}
		for number := range t.NumField() {
			walk(t.Field(number).Type)
		}
	}
	for _, t := range types {
		walk(t)
	}
	lines := []string{}
	for definition, said := range found {
		lines = append(lines, definition+" "+said)
	}
	sort.Strings(lines)
	fmt.Println(strings.Join(lines, "\n"))
}
