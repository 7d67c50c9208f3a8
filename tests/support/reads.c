#include "tests/support/reads.h"

#include "worker/repository/database_private.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void
reads_flush(PgConn *conn)
{
    postgres_exec(conn, "SELECT pg_stat_force_next_flush()");
}

static PGresult *
query_counts(const Reads *reads)
{
    Error err = {0};
    PGresult *rows = NULL;
    reads_flush(reads->worker->conn);
    reads_flush(reads->app);
    ASSERT_OK(pg_conn_exec(reads->app,
                           "SELECT t.relname, t.seq_scan, t.idx_scan, "
                           "t.seq_tup_read + coalesce((SELECT sum(i.idx_tup_read) "
                           "FROM pg_stat_user_indexes i WHERE i.relid = t.relid), 0) "
                           "FROM pg_stat_user_tables t ORDER BY t.relname",
                           &rows, &err),
              &err);
    return rows;
}

void
reads_begin(Reads *reads, PgConn *app, Database *worker)
{
    Error err = {0};
    *reads = (Reads){.app = app, .worker = worker};
    ASSERT_OK(database_connect(worker, &err), &err);
    CLEANUP(pg_result_freep) PGresult *rows = query_counts(reads);
    reads->count = pg_result_rows(rows);
    assert_in_range(reads->count, 1, READS_TABLES_MAX);
    for (size_t i = 0; i < reads->count; i++) {
        TableReads *table = &reads->tables[i];
        (void)snprintf(table->name, sizeof(table->name), "%s", pg_result_text(rows, i, 0));
        table->sequential_scans = -pg_result_int64(rows, i, 1);
        table->index_scans = -pg_result_int64(rows, i, 2);
        table->rows = -pg_result_int64(rows, i, 3);
    }
}

void
reads_end(Reads *reads)
{
    CLEANUP(pg_result_freep) PGresult *rows = query_counts(reads);
    assert_int_equal(pg_result_rows(rows), reads->count);
    for (size_t i = 0; i < reads->count; i++) {
        TableReads *table = &reads->tables[i];
        assert_string_equal(pg_result_text(rows, i, 0), table->name);
        table->sequential_scans += pg_result_int64(rows, i, 1);
        table->index_scans += pg_result_int64(rows, i, 2);
        table->rows += pg_result_int64(rows, i, 3);
    }
}

static const TableReads *
find_table(const Reads *reads, const char *name)
{
    for (size_t i = 0; i < reads->count; i++) {
        if (strcmp(reads->tables[i].name, name) == 0)
            return &reads->tables[i];
    }
    fail_msg("no table is called %s", name);
    return NULL;
}

static const char *set_fault(Reads *reads, const char *format, ...) PRINTF_LIKE(2, 3);

static const char *
set_fault(Reads *reads, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reads->fault, sizeof(reads->fault), format, arguments);
    va_end(arguments);
    return reads->fault;
}

const char *
reads_fault(Reads *reads, const char *const *indexed, int64_t rows_max)
{
    for (size_t i = 0; i < reads->count; i++) {
        const TableReads *table = &reads->tables[i];
        if (table->sequential_scans != 0)
            return set_fault(reads, "sequential scan of %s", table->name);
        if (table->rows > rows_max)
            return set_fault(reads, "%" PRId64 " rows read of %s", table->rows, table->name);
    }
    for (; *indexed != NULL; indexed++) {
        const TableReads *table = find_table(reads, *indexed);
        if (table == NULL || table->index_scans == 0)
            return set_fault(reads, "no index of %s used", *indexed);
    }
    return "";
}

void
reads_hide_index(PgConn *app, const char *name)
{
    postgres_exec(app, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '%s'::regclass",
                  name);
}

void
reads_show_indexes(PgConn *app)
{
    postgres_exec(app, "UPDATE pg_index SET indisvalid = true WHERE NOT indisvalid");
}
