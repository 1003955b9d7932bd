package haproxy

import (
	"fmt"
	"testing"
)

func TestUpstreams(t *testing.T) {
	found, err := upstreams(`# pxname,svname,status,check_status,addr,
api,api-80-1,DOWN,L4CON,10.0.0.1:80,
api,api-80-2,MAINT,,0.0.0.0:80,
api,BACKEND,DOWN,,,
db,BACKEND,UP,,,
late,late-1-1,MAINT,,0.0.0.0:1,
late,BACKEND,DOWN,,,
`)
	if got := fmt.Sprint(found, err); got != "[api (10.0.0.1:80 L4CON) db (no address) late (no address)] <nil>" {
		t.Error(got)
	}
	if !found[1].Healthy || found[0].Healthy {
		t.Error(found)
	}
}
