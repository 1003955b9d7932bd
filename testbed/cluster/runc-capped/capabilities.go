package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// names are the kernel's capabilities in the order of their numbers (linux/capability.h).
var names = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
	"CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// capabilitySet has one bit per capability, as the kernel shows it in /proc/<pid>/status.
type capabilitySet uint64

// boundingSet reads the line CapBnd of a /proc/<pid>/status.
func boundingSet(status string) (capabilitySet, error) {
	for line := range strings.Lines(status) {
		if value, found := strings.CutPrefix(line, "CapBnd:"); found {
			bits, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return capabilitySet(bits), err
		}
	}
	return 0, errors.New("no CapBnd in the process status")
}

func (s capabilitySet) has(name string) bool {
	number := slices.Index(names, name)
	return number >= 0 && s>>number&1 == 1
}

// trimContainer takes capabilities that are not in bounding out of an OCI config.json. What else is in there stays.
func trimContainer(config []byte, bounding capabilitySet) ([]byte, error) {
	return editObject(config, func(container map[string]any) error {
		process, isObject := container["process"].(map[string]any)
		if !isObject {
			return errors.New("process is not an object")
		}
		return trim(process, bounding)
	})
}

// trimProcess does the same to an OCI process, the document "runc exec" is given.
func trimProcess(process []byte, bounding capabilitySet) ([]byte, error) {
	return editObject(process, func(process map[string]any) error { return trim(process, bounding) })
}

func trim(process map[string]any, bounding capabilitySet) error {
	sets, isObject := process["capabilities"].(map[string]any)
	if !isObject {
		return nil // a process without capabilities asks for none
	}
	for set, value := range sets {
		wanted, isList := value.([]any)
		if !isList {
			return fmt.Errorf("capabilities.%s is not a list", set)
		}
		sets[set] = slices.DeleteFunc(wanted, func(capability any) bool {
			name, isString := capability.(string)
			return isString && !bounding.has(name)
		})
	}
	return nil
}

func editObject(document []byte, edit func(map[string]any) error) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // large numbers, such as resource limits, must come through exactly
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if err := edit(object); err != nil {
		return nil, err
	}
	return json.Marshal(object)
}
