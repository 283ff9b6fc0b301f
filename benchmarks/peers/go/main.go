// A receiver in Go, as one would write it: net/http, the parts streamed to files, two records, everything fsynced.
// It does not validate, hash, or remember what it has received.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

type metadata struct {
	SourceID string `json:"sourceId"`
	Fields   []struct {
		Name       string  `json:"name"`
		Value      string  `json:"value"`
		Confidence float64 `json:"confidence"`
	} `json:"fields"`
}

var (
	folder string
	last   atomic.Int64
	escape = strings.NewReplacer(`\`, `\E\`, `|`, `\F\`, `^`, `\S\`, `&`, `\T\`, `~`, `\R\`, "\r", `\X0D\`, "\n", `\X0A\`)
)

func main() {
	folder = os.Args[2]
	http.HandleFunc("/api/nextstep/delivery/", deliver)
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}

func deliver(answer http.ResponseWriter, request *http.Request) {
	id := fmt.Sprintf("%x-%d", time.Now().UnixNano(), last.Add(1))
	if err := receive(request, id); err != nil {
		http.Error(answer, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	answer.Header().Set("Content-Type", "application/json")
	json.NewEncoder(answer).Encode(map[string]string{"id": id, "status": "published"})
}

func receive(request *http.Request, id string) error {
	parts, err := request.MultipartReader()
	if err != nil {
		return err
	}
	var read metadata
	var document *os.File
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if part.FormName() == "metadata" {
			err = json.NewDecoder(part).Decode(&read)
		} else {
			document, err = stage(part, id)
		}
		if err != nil {
			return err
		}
	}
	if document == nil || read.SourceID == "" {
		return errors.New("a part is missing")
	}
	return publish(id, document, record(id, &read), message(id, &read))
}

func stage(part *multipart.Part, id string) (*os.File, error) {
	file, err := os.Create(filepath.Join(folder, id+".tif.part"))
	if err != nil {
		return nil, err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{file}, part, make([]byte, 256*1024))
	return file, err
}

func record(id string, read *metadata) []byte {
	fields := make(map[string]string, len(read.Fields))
	for _, each := range read.Fields {
		fields[each.Name] = each.Value
	}
	content, _ := json.Marshal(map[string]any{"id": id, "sourceId": read.SourceID, "fields": fields})
	return content
}

func message(id string, read *metadata) []byte {
	var text bytes.Buffer
	received := time.Now().UTC().Format("20060102150405")
	fmt.Fprintf(&text, "MSH|^~\\&|RECEIVER|BENCH|EHR|CLINIC|%s||MDM^T02^MDM_T02|%s|P|2.5.1\r", received, id)
	fmt.Fprintf(&text, "EVN|T02|%s\rTXA|1|CN|IM|||||||||%s\r", received, id)
	for index, each := range read.Fields {
		fmt.Fprintf(&text, "OBX|%d|ST|%s^^L||%s||||||F\r", index+1, escape.Replace(each.Name), escape.Replace(each.Value))
	}
	return text.Bytes()
}

// publish makes all files durable, then gives them their names, then makes the names durable.
func publish(id string, document *os.File, record, message []byte) error {
	files := map[string]*os.File{id + ".tif": document}
	for name, content := range map[string][]byte{id + ".json": record, id + ".hl7": message} {
		file, err := os.Create(filepath.Join(folder, name+".part"))
		if err != nil {
			return err
		}
		if _, err = file.Write(content); err != nil {
			return err
		}
		files[name] = file
	}
	for _, file := range files {
		if err := file.Sync(); err != nil {
			return err
		}
		file.Close()
	}
	for name := range files {
		if err := os.Rename(filepath.Join(folder, name+".part"), filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	names, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer names.Close()
	return names.Sync()
}
