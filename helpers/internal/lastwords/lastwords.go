// Package lastwords leaves the reason why a program ends where the kubelet finds it.
package lastwords

import "os"

// Path is where the kubelet reads a container's termination message: the default of terminationMessagePath.
const Path = "/dev/termination-log"

// limit is the most that the kubelet reads of one container.
const limit = 4096

// Leave writes the reason into the file at path; nothing where there is none, outside of a Pod.
func Leave(path string, reason error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return
	}
	defer file.Close()
	words := reason.Error()
	_, _ = file.WriteString(words[:min(len(words), limit)])
}
