package haproxy

import (
	"maps"
	"testing"
)

// A session of HTTP is there while a request is under way; ours, and the master's, are nobody's.
func TestOnlySessionsOfApplicationsCount(t *testing.T) {
	const text = `0x1: [28/Nov/2026:20:10:35.193266] id=0 proto=?
  frontend=_observations (id=4 mode=tcp), listener=? (id=0)
  req=0x2 (f=0x848202 an=0x0 pipe=0 tofwd=-1 total=13)
0x3: [28/Nov/2026:20:10:41.088361] id=3 proto=sockpair source=unix:2
  frontend=GLOBAL (id=0 mode=tcp), listener=? (id=2)
  req=0x4 (f=0xc08000 an=0x0 pipe=0 tofwd=-1 total=14)
0x5: [28/Nov/2026:20:10:41.088361] id=4 proto=tcpv4 source=127.0.0.1:40000
  frontend=db (id=2 mode=tcp), listener=? (id=1)
  req=0x6 (f=0x848000 an=0x0 pipe=0 tofwd=-1 total=15)
  res=0x7 (f=0x848000 an=0x0 pipe=0 tofwd=-1 total=16)
0x8: [28/Nov/2026:20:10:41.088361] id=5 proto=tcpv4 source=127.0.0.1:40001
  frontend=api (id=3 mode=http), listener=? (id=1)
  req=0x9 (f=0x848000 an=0x0 pipe=0 tofwd=-1 total=17)
0xa: [28/Nov/2026:20:10:41.088361] id=6 proto=unix_stream source=unix:1
  frontend=_admin (id=3 mode=http), listener=? (id=1)
`
	carried := map[string]string{}
	atWork := sessions("7", text, carried)
	if want := map[string]string{"7 0x5:": "15) 16) "}; !maps.Equal(carried, want) || atWork != 1 {
		t.Errorf("%q, %d at work", carried, atWork)
	}
}
