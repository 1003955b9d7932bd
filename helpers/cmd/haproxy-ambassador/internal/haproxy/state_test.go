package haproxy

import "testing"

func TestOnlyDown(t *testing.T) {
	const header = "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight\n"
	const down = "2 up 1 a1 127.0.0.1 0 0 1\n"
	got := onlyDown("1\n" + header + down + "2 up 2 a2 127.0.0.2 2 0 1\n2 up 3 a3 0.0.0.0 0 1 1\n\n")
	if got != "1\n"+header+down {
		t.Error(got)
	}
}
