package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	transactionCommands = 3000
	lingerForMore       = 50 * time.Millisecond
)

// A member consumes its share of the partitions, and has a connection and a transactional producer of its own.
type member struct {
	session  *kgo.GroupTransactSession
	database *database
	results  string
}

// openSession joins the group; everyMember is told once there are partitions.
func openSession(number int, everyMember *barrier) (*kgo.GroupTransactSession, error) {
	var once sync.Once
	assigned := func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
		if len(partitions) > 0 {
			once.Do(everyMember.arrive)
		}
	}
	group := os.Getenv("CLEANUP_KAFKA_GROUP_ID")
	return kgo.NewGroupTransactSession(
		kgo.SeedBrokers(os.Getenv("CLEANUP_KAFKA_BOOTSTRAP_SERVERS")),
		kgo.ConsumerGroup(group),
		kgo.OnPartitionsAssigned(assigned),
		kgo.ConsumeTopics(os.Getenv("CLEANUP_TOPICS_COMMANDS")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.TransactionalID(fmt.Sprintf("%s-%d", group, number)),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
}

// runMember works until ctx is done; what has begun by then is finished. It begins when every member has its share of
// the partitions: a transaction that meets a rebalance is aborted.
func runMember(ctx context.Context, number int, everyMember *barrier) error {
	database, err := openDatabase(ctx)
	if err != nil {
		return err
	}
	defer database.close()
	session, err := openSession(number, everyMember)
	if err != nil {
		return err
	}
	defer session.Close()
	m := member{session, database, os.Getenv("CLEANUP_TOPICS_RESULTS")}
	everyMember.wait(ctx)
	for ctx.Err() == nil {
		records, err := m.poll(ctx)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			continue
		}
		if err := m.answer(context.WithoutCancel(ctx), records); err != nil {
			return err
		}
	}
	return nil
}

// poll waits for the first command, and then for a moment for what else is there, up to a transaction's worth.
func (m *member) poll(ctx context.Context) ([]*kgo.Record, error) {
	records, err := m.take(ctx, transactionCommands)
	moment, cancel := context.WithTimeout(ctx, lingerForMore)
	defer cancel()
	for err == nil && len(records) > 0 && len(records) < transactionCommands && moment.Err() == nil {
		var more []*kgo.Record
		more, err = m.take(moment, transactionCommands-len(records))
		records = append(records, more...)
	}
	return records, err
}

// take returns nothing when ctx ends first.
func (m *member) take(ctx context.Context, most int) ([]*kgo.Record, error) {
	fetches := m.session.PollRecords(ctx, most)
	if ctx.Err() != nil {
		return fetches.Records(), nil
	}
	return fetches.Records(), fetches.Err()
}

// answer makes one Kafka transaction of the records' results and offsets. When the group has moved on it is aborted,
// and its commands come again to the member that has their partitions by then.
func (m *member) answer(ctx context.Context, records []*kgo.Record) error {
	if err := m.session.Begin(); err != nil {
		return err
	}
	failure := kgo.AbortingFirstErrPromise(m.session.Client())
	for len(records) > 0 {
		set := records[:min(len(records), setCommands)]
		records = records[len(set):]
		results, err := m.database.cleanUp(ctx, set)
		if err != nil {
			return err
		}
		for id, result := range results {
			m.session.Produce(ctx, &kgo.Record{Topic: m.results, Key: []byte(id), Value: result}, failure.Promise())
		}
	}
	if err := m.session.Client().Flush(ctx); err != nil {
		return err
	}
	_, err := m.session.End(ctx, failure.Err() == nil)
	return err
}
