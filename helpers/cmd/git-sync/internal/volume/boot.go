package volume

import (
	"os"
	"strings"
)

// bootID names the boot of this node. What was written during another one may not have reached the disk.
func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id)), err
}
