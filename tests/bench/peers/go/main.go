// A tuned worker as a person would write it by hand for speed: per-user commands from Kafka, sets of 500 in one
// statement, results and offsets in Kafka transactions of some 3,000 commands, by two members of one group. Exactly
// once: a command that comes again is answered from its row in an inbox. It is the rival of scripts/bench, and no
// safe replacement for the worker; set.sql says why.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/jackc/pgx/v5"
)

const members = 2

// A barrier opens when so many have arrived at it.
type barrier struct {
	missing atomic.Int32
	opened  chan struct{}
}

func newBarrier(count int32) *barrier {
	b := &barrier{opened: make(chan struct{})}
	b.missing.Store(count)
	return b
}

func (b *barrier) arrive() {
	if b.missing.Add(-1) == 0 {
		close(b.opened)
	}
}

func (b *barrier) wait(ctx context.Context) {
	select {
	case <-b.opened:
	case <-ctx.Done():
	}
}

func createInbox(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, os.Getenv("CLEANUP_POSTGRES_DSN"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, inboxSQL)
	return err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := createInbox(ctx); err != nil {
		log.Fatal(err)
	}
	var running sync.WaitGroup
	everyMember := newBarrier(members)
	for number := range members {
		running.Go(func() {
			if err := runMember(ctx, number, everyMember); err != nil {
				log.Fatalf("member %d: %v", number, err)
			}
		})
	}
	running.Wait()
}
