// A CNI plugin, last in the chain: it tells the NetworkPolicy enforcer which address a pod has been given and waits
// until the pod is guarded. A pod therefore never runs a moment before its policies hold; if the enforcer does not
// answer, the pod does not start, and the kubelet tries again.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const patience = 20 * time.Second

type configuration struct {
	CNIVersion string          `json:"cniVersion"`
	Socket     string          `json:"socket"`
	Previous   json.RawMessage `json:"prevResult"`
}

type result struct {
	Addresses []struct {
		Address string `json:"address"`
	} `json:"ips"`
}

type report struct {
	Action    string `json:"action"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Address   string `json:"address"`
}

func main() {
	if err := run(os.Getenv("CNI_COMMAND")); err != nil {
		failure, _ := json.Marshal(map[string]any{"cniVersion": "0.4.0", "code": 11, "msg": err.Error()})
		fmt.Println(string(failure))
		os.Exit(1)
	}
}

func run(command string) error {
	if command == "VERSION" {
		fmt.Println(`{"cniVersion":"0.4.0","supportedVersions":["0.3.0","0.3.1","0.4.0"]}`)
		return nil
	}
	if command != "ADD" {
		return nil // an address is forgotten with its pod, which the enforcer watches
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var config configuration
	if err := json.Unmarshal(input, &config); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	var previous result
	if err := json.Unmarshal(config.Previous, &previous); err != nil || len(previous.Addresses) == 0 {
		return fmt.Errorf("the plugins before gave no address")
	}
	address, _, _ := strings.Cut(previous.Addresses[0].Address, "/")
	message := report{Action: "add", Address: address}
	for _, pair := range strings.Split(os.Getenv("CNI_ARGS"), ";") {
		switch key, value, _ := strings.Cut(pair, "="); key {
		case "K8S_POD_NAMESPACE":
			message.Namespace = value
		case "K8S_POD_NAME":
			message.Name = value
		case "K8S_POD_UID":
			message.UID = value
		}
	}
	if err := announce(config.Socket, message); err != nil {
		return fmt.Errorf("the network policy enforcer does not guard %s/%s: %w", message.Namespace, message.Name, err)
	}
	fmt.Println(string(config.Previous))
	return nil
}

func announce(socket string, message report) error {
	deadline := time.Now().Add(patience)
	connection, err := net.Dial("unix", socket)
	for err != nil && time.Now().Before(deadline) { // it may be starting, and a failed pod costs the kubelet more
		time.Sleep(100 * time.Millisecond)
		connection, err = net.Dial("unix", socket)
	}
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(deadline); err != nil {
		return err
	}
	if err := json.NewEncoder(connection).Encode(message); err != nil {
		return err
	}
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(connection).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return fmt.Errorf("%s", answer.Error)
	}
	return nil
}
