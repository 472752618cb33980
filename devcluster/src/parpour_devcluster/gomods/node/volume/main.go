// Makes and removes the folders of persistent volumes, called by local-path-provisioner's helper pod with
// `-p PATH -s BYTES -m MODE -a create|delete`. It stands in for the shell that a helper image would otherwise need.
package main

import (
	"flag"
	"log"
	"os"
)

func main() {
	path := flag.String("p", "", "folder of the volume")
	action := flag.String("a", "", "create or delete")
	flag.String("s", "", "size asked for, in bytes: folders have no size")
	flag.String("m", "", "Filesystem or Block: the class allows Filesystem alone")
	flag.Parse()
	var err error
	switch *action {
	case "create":
		if err = os.MkdirAll(*path, 0o777); err == nil {
			err = os.Chmod(*path, 0o777)
		}
	case "delete":
		err = os.RemoveAll(*path)
	default:
		log.Fatalf("unknown action %q", *action)
	}
	if err != nil {
		log.Fatal(err)
	}
}
