package topology

import (
	"testing"
	"time"
)

func primaryOf(id, prior string) observation {
	return observation{role: Primary, serves: true, id: id, priorID: prior}
}

func replicaOf(id string) observation {
	return observation{role: Replica, serves: true, linked: true, id: id}
}

func TestElect(t *testing.T) {
	loading := primaryOf("x", "")
	loading.serves = false
	unlinked := replicaOf("x")
	unlinked.linked = false
	for name, test := range map[string]struct {
		seen    map[string]observation
		current string
		want    string // empty: none
	}{
		"nobody answers":                  {map[string]observation{"a": {}, "b": {}}, "a", ""},
		"replicas only":                   {map[string]observation{"a": replicaOf("x"), "b": replicaOf("x")}, "a", ""},
		"the only one":                    {map[string]observation{"a": primaryOf("x", ""), "b": replicaOf("x")}, "", "a"},
		"one that loads its data":         {map[string]observation{"a": loading, "b": replicaOf("x")}, "a", ""},
		"the one with followers":          {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", ""), "c": replicaOf("y")}, "a", "b"},
		"a follower without a link":       {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", ""), "c": unlinked}, "b", "b"},
		"the one that was promoted later": {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "x")}, "a", "b"},
		"followers before promotion":      {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "x"), "c": replicaOf("x")}, "b", "a"},
		"a chain of promotions":           {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "x"), "c": primaryOf("z", "y")}, "c", "c"},
		"the one in use":                  {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "")}, "b", "b"},
		"nothing tells them apart":        {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "")}, "", ""},
		"the one in use is another":       {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", ""), "c": {}}, "c", ""},
	} {
		got, found, reason := elect(test.seen, test.current)
		if got != test.want || found != (test.want != "") || reason == "" {
			t.Errorf("%s: got %q, %v (%s), want %q", name, got, found, reason, test.want)
		}
	}
}

func TestLag(t *testing.T) {
	start := time.Now()
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	var h history
	if lag := h.lag(0, start); lag != 0 {
		t.Errorf("without a history the lag is %v", lag)
	}
	for i := range 10 {
		h.add("x", int64(i*100), at(i))
	}
	for offset, want := range map[int64]time.Duration{900: 0, 950: 0, 899: time.Second, 500: 4 * time.Second, -1: 10 * time.Second} {
		if got := h.lag(offset, at(10)); got != want {
			t.Errorf("lag at %d: got %v, want %v", offset, got, want)
		}
	}
	h.add("y", 5, at(11)) // another history has other offsets
	if got := h.lag(5, at(12)); got != 0 {
		t.Errorf("after a failover the lag is %v", got)
	}
	for i := range 2 * historyPoints {
		h.add("y", int64(i), at(i))
	}
	if len(h.points) != historyPoints {
		t.Errorf("%d points are kept", len(h.points))
	}
}
