package query

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	jmespath "github.com/jmespath-community/go-jmespath"
)

const document = `{"n": 1, "null": null, "text": "x",
	"workers": {"b": {"n": 2, "pools": {"y": {"n": 5}, "x": {"n": 4}}}, "a": {"n": 1}, "c": {}},
	"list": [{"id": "one", "n": 10, "tags": [1, 2]}, {"id": "two", "n": 20, "tags": [3]}, {"id": 3, "n": 30}],
	"lists": [[1, 2], [3], 4]}`

func TestPlaces(t *testing.T) {
	for _, c := range []struct{ expression, identity, want string }{
		{"n", "", `[{1 }]`},
		{"null", "", `[]`},
		{"nothing.there", "", `[]`},
		{"workers.*.n", "", `[{1 "a"} {2 "b"}]`},
		{"workers.*.pools[].*.n | []", "", `[{4 "b"."x"} {5 "b"."y"}]`},
		{"workers.* | [?n].n", "", `[{1 "a"} {2 "b"}]`},
		{"items(workers)[*].{k: [0], n: [1].n}", "", `[{map[k:a n:1] "a"} {map[k:b n:2] "b"} {map[k:c n:<nil>] "c"}]`},
		{"values(workers)[*].n", "", `[{1 "a"} {2 "b"}]`},
		{"list[*].n", "", `[{10 0} {20 1} {30 2}]`},
		{"list[*].n", "id", `[{10 "one"} {20 "two"} {30 =3}]`},
		{"list[?n > `10`].n", "id", `[{20 "two"} {30 =3}]`},
		{"list[?n > `10`].{n: n}", "", `[{map[n:20] 1} {map[n:30] 2}]`},
		{"list[].tags[]", "id", `[{1 "one".0} {2 "one".1} {3 "two".0}]`},
		{"lists[]", "", `[{1 0.0} {2 0.1} {3 1.0} {4 2}]`},
		{"list[1:].n", "id", `[{20 "two"} {30 =3}]`},
		{"list[-1].n", "", `[{30 }]`},
		{"[n, list[0].n]", "", `[{1 0} {10 1}]`},
		{"sum(list[*].n)", "", `[{60 }]`},
		{"workers.*.n | sum(@)", "", `[{3 }]`},
		{"list[0].n / n", "", `[{10 }]`},
		{"workers.*", "", `[{map[n:1] "a"} {map[n:2 pools:map[x:map[n:4] y:map[n:5]]] "b"} {map[] "c"}]`},
	} {
		q, err := Compile(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		if c.identity != "" {
			if err := q.Identify(c.identity); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 { // maps have another order each time
			if got, err := q.Search(parse(t, document)); err != nil || fmt.Sprint(got) != c.want {
				t.Errorf("%s: %v, %v\nand not %s", c.expression, got, err, c.want)
			}
		}
	}
}

// The values are the library's, but for the order of an object's members.
func TestValuesAreTheLibrarys(t *testing.T) {
	for _, expression := range []string{
		"workers.*.n", "workers.*.pools.*.n[]", "items(workers)[*].{k: [0], n: [1].n}", "list[?n > `10`].n", "lists[]", "list[].tags[]",
		"list[::2].n", "list[*].tags[0]", "n || list[*]", "list[*] | length(@)", "lists[*][]", "text.*", "n[*]", "lists[*][0]",
		"values(n)", "items(`1`)", "let $x = n in list[*].[n, $x]", "lists[][]", "@", "list | [?id == 'two'] | [0].n", "*", "*.n",
		"list[?tags].tags | [0]", "list[*].nothing", "text", "lists[*] | [1]", "sort_by(list, &n)[*].n", "lists[*][*]", "values(workers)[].n",
	} {
		q, err := Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		found, err := q.Search(parse(t, document))
		value, libraryErr := jmespath.MustCompile(expression).Search(parse(t, document))
		if (err == nil) != (libraryErr == nil) {
			t.Fatalf("%s: %v, and the library %v", expression, err, libraryErr)
		}
		list, many := value.([]any)
		if !many {
			list = []any{value}
		}
		var want, got []string
		for _, one := range list {
			if one != nil {
				want = append(want, text(one))
			}
		}
		for _, one := range found {
			got = append(got, text(one.Value))
		}
		slices.Sort(want)
		slices.Sort(got)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, and the library %v", expression, got, want)
		}
	}
}

func parse(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func text(value any) string {
	list, is := value.([]any)
	if !is {
		return fmt.Sprint(value)
	}
	var parts []string
	for _, one := range list {
		parts = append(parts, text(one))
	}
	slices.Sort(parts)
	return fmt.Sprint(parts)
}
