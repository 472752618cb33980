// The cluster's image registry. It serves one loopback address in two network namespaces, so that an image has
// the same name for who pushes it (the machine, on the socket handed over as descriptor 3) and for who pulls it
// (containerd, inside the cluster, on -listen).
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("listen", "", "host:port inside the cluster's network namespace")
	blobs := flag.String("blobs", "", "folder that keeps the layers")
	flag.Parse()
	inside, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	outside, err := net.FileListener(os.NewFile(3, "machine's loopback"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler: registry.New(
			registry.WithBlobHandler(registry.NewDiskBlobHandler(*blobs)),
			registry.Logger(log.New(io.Discard, "", 0)),
		),
	}
	failures := make(chan error, 2)
	for _, listener := range []net.Listener{inside, outside} {
		go func() { failures <- server.Serve(listener) }()
	}
	log.Fatal(<-failures)
}
