// Kstatus judges objects by the library of that name, which kubectl's and GitOps tools wait by. It reads objects as JSON from
// its standard input and writes a line for each to its standard output: the status, a tab and the message.
//
//	kubectl get sidecarapp site --output=json | kstatus
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	if err := judge(os.Stdin, out); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func judge(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	for {
		var object unstructured.Unstructured
		if err := decoder.Decode(&object); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		result, err := status.Compute(&object)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\t%s\n", result.Status, result.Message); err != nil {
			return err
		}
	}
}
