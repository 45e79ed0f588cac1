// pause is the first process of a pod: it holds the pod's namespaces, reaps the processes that its
// containers leave behind, and ends when it is told to.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// That of the image whose place it takes; stamped when it is linked.
var version string

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("pause", version)
		return
	}
	// Two channels: signals that find no room are dropped, and many children may end at once.
	ended := make(chan os.Signal, 1)
	told := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM)
	for {
		reap()
		select {
		case <-ended:
		case <-told:
			return
		}
	}
}

func reap() {
	for {
		child, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err != syscall.EINTR && child <= 0 {
			return
		}
	}
}
