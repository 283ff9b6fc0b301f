// Load sends one captured request again and again over keep-alive connections, each time under a new sourceId,
// and prints what came back as JSON. The request is sent as it lies in memory: nothing of it is built or copied.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// What stands for the sourceId in the request, as often as it is to be replaced.
const marker = "@@@@-SOURCE-ID-@@@@"

type result struct {
	Seconds  float64        `json:"seconds"`
	Answers  int            `json:"answers"`
	Statuses map[string]int `json:"statuses"`
	Failures map[string]int `json:"failures"`
	P50      float64        `json:"p50"` // milliseconds
	P99      float64        `json:"p99"`
	Longest  float64        `json:"longest"`
}

type sender struct {
	address   string
	pieces    [][]byte
	next      func() (string, time.Time, bool)
	statuses  map[string]int
	failures  map[string]int
	latencies []time.Duration
}

func main() {
	address := flag.String("to", "127.0.0.1:8080", "host and port")
	request := flag.String("request", "", "file with the whole request")
	connections := flag.Int("connections", 16, "connections at once")
	seconds := flag.Float64("seconds", 0, "how long to send")
	count := flag.Int64("count", 0, "how many to send; 0: until the time is over")
	rate := flag.Float64("rate", 0, "requests per second; 0: each connection sends as soon as it has its answer")
	prefix := flag.String("prefix", "", "begin of every sourceId; none: all requests are the same")
	flag.Parse()

	raw, err := os.ReadFile(*request)
	if err != nil {
		log.Fatal(err)
	}
	pieces := bytes.Split(raw, []byte(marker))
	begin := time.Now()
	next := numbers(*prefix, *count, *rate, begin, begin.Add(time.Duration(*seconds*float64(time.Second))))
	senders := make([]*sender, *connections)
	var running sync.WaitGroup
	for i := range senders {
		senders[i] = &sender{*address, pieces, next, map[string]int{}, map[string]int{}, nil}
		running.Add(1)
		go func(each *sender) { defer running.Done(); each.run() }(senders[i])
	}
	running.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(summary(senders, time.Since(begin)))
}

// numbers returns the source of sourceIds, which ends with the count or with the time. With a rate each is given out
// when it is due; the time of its answer counts from then on, also if all connections were busy.
func numbers(prefix string, count int64, rate float64, begin, end time.Time) func() (string, time.Time, bool) {
	var last atomic.Int64
	return func() (string, time.Time, bool) {
		number := last.Add(1)
		due := time.Now()
		if rate > 0 {
			due = begin.Add(time.Duration(float64(number) / rate * float64(time.Second)))
		}
		if count > 0 && number > count || count == 0 && due.After(end) {
			return "", due, false
		}
		time.Sleep(time.Until(due))
		if prefix == "" {
			number = 0
		}
		return fmt.Sprintf("%s%0*d", prefix, len(marker)-len(prefix), number), due, true
	}
}

func (s *sender) run() {
	var connection net.Conn
	var answers *bufio.Reader
	for {
		id, begin, ok := s.next()
		if !ok {
			return
		}
		if connection == nil {
			opened, err := net.Dial("tcp", s.address)
			if err != nil {
				s.failures["connect"]++
				time.Sleep(10 * time.Millisecond)
				continue
			}
			connection, answers = opened, bufio.NewReader(opened)
		}
		status, keep, err := s.exchange(connection, answers, id)
		if err != nil {
			s.failures["exchange"]++
		} else {
			s.statuses[status]++
			s.latencies = append(s.latencies, time.Since(begin))
		}
		if err != nil || !keep {
			connection.Close()
			connection = nil
		}
	}
}

// exchange sends one request and reads its answer; keep tells whether the connection may be used again.
func (s *sender) exchange(connection net.Conn, answers *bufio.Reader, id string) (status string, keep bool, err error) {
	var buffers net.Buffers
	for i, piece := range s.pieces {
		if i > 0 {
			buffers = append(buffers, []byte(id))
		}
		buffers = append(buffers, piece)
	}
	_, sent := buffers.WriteTo(connection) // who refuses early may close its side: the answer is there all the same
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		return "", false, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return fmt.Sprint(answer.StatusCode), sent == nil && !answer.Close, err
}

func summary(senders []*sender, took time.Duration) result {
	all := result{Seconds: took.Seconds(), Statuses: map[string]int{}, Failures: map[string]int{}}
	var latencies []time.Duration
	for _, each := range senders {
		latencies = append(latencies, each.latencies...)
		for status, count := range each.statuses {
			all.Statuses[status] += count
		}
		for kind, count := range each.failures {
			all.Failures[kind] += count
		}
	}
	sort.Slice(latencies, func(i, j int) bool { return latencies[i] < latencies[j] })
	all.Answers = len(latencies)
	if len(latencies) > 0 {
		all.P50, all.P99 = milliseconds(latencies, 0.50), milliseconds(latencies, 0.99)
		all.Longest = milliseconds(latencies, 1)
	}
	return all
}

func milliseconds(sorted []time.Duration, share float64) float64 {
	index := int(share * float64(len(sorted)-1))
	return float64(sorted[index].Microseconds()) / 1000
}
