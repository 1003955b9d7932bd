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

func promoted(id, prior string) observation {
	o := primaryOf(id, prior)
	o.wasReplica = true
	return o
}

func passed(o observation) observation {
	o.passed = true
	return o
}

func since(minute int, o observation) observation {
	o.started = time.Time{}.Add(time.Duration(minute) * time.Minute)
	return o
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
		"nobody answers":                                         {map[string]observation{"a": {}, "b": {}}, "a", ""},
		"replicas only":                                          {map[string]observation{"a": replicaOf("x"), "b": replicaOf("x")}, "a", ""},
		"the only one":                                           {map[string]observation{"a": primaryOf("x", ""), "b": replicaOf("x")}, "", "a"},
		"one that loads its data":                                {map[string]observation{"a": loading, "b": replicaOf("x")}, "a", ""},
		"the one with followers":                                 {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", ""), "c": replicaOf("y")}, "", "b"},
		"followers of another than the one in use":               {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", ""), "c": replicaOf("y")}, "a", "a"},
		"followers of one that was a replica":                    {map[string]observation{"a": primaryOf("x", ""), "b": promoted("y", "u"), "c": replicaOf("y")}, "a", "b"},
		"an old primary that comes back empty, with followers":   {map[string]observation{"a": since(1, primaryOf("z", "")), "b": promoted("y", "x"), "c": replicaOf("z")}, "b", "b"},
		"the same, seen for the first time":                      {map[string]observation{"a": since(10, primaryOf("z", "")), "b": primaryOf("y", "x"), "c": replicaOf("z")}, "", ""},
		"one that was passed over, and the one in use gone":      {map[string]observation{"a": passed(primaryOf("z", "")), "b": {}, "c": replicaOf("z")}, "b", ""},
		"one that was passed over, and the one in use taken out": {map[string]observation{"a": passed(primaryOf("z", "")), "c": replicaOf("z")}, "b", "a"},
		"one that was passed over, and an heir":                  {map[string]observation{"a": passed(primaryOf("z", "")), "b": {}, "c": promoted("v", "in use")}, "b", "c"},
		"the one in use is a replica now":                        {map[string]observation{"a": passed(primaryOf("z", "")), "b": replicaOf("z")}, "b", "a"},
		"two, of which one is the heir":                          {map[string]observation{"a": primaryOf("z", ""), "b": {}, "c": primaryOf("v", "in use")}, "b", "c"},
		"a follower without a link":                              {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", ""), "c": unlinked}, "b", "b"},
		"the one that was promoted later":                        {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "x")}, "a", "b"},
		"followers before promotion":                             {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "x"), "c": replicaOf("x")}, "", "a"},
		"a chain of promotions":                                  {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "x"), "c": primaryOf("z", "y")}, "c", "c"},
		"the one in use":                                         {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "")}, "b", "b"},
		"nothing tells them apart":                               {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", "")}, "", ""},
		"the one in use is another":                              {map[string]observation{"a": primaryOf("x", ""), "b": primaryOf("y", ""), "c": {}}, "c", ""},
	} {
		got, found, reason := elect(test.seen, test.current, "in use")
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
