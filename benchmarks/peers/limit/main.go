// Limit is as little as a durable receiver can do: the unparsed body to one file, fsync, rename, fsync of the folder.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
)

func main() {
	address, folder := os.Args[1], os.Args[2]
	var last atomic.Int64
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		name := filepath.Join(folder, fmt.Sprint(last.Add(1)))
		if err := keep(name, request.Body, folder); err != nil {
			http.Error(answer, err.Error(), http.StatusServiceUnavailable)
			return
		}
		io.WriteString(answer, "{}\n")
	})
	log.Fatal(http.ListenAndServe(address, nil))
}

func keep(name string, body io.Reader, folder string) error {
	file, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err = io.CopyBuffer(struct{ io.Writer }{file}, body, make([]byte, 256*1024)); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	if err = os.Rename(name+".part", name); err != nil {
		return err
	}
	names, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer names.Close()
	return names.Sync()
}
