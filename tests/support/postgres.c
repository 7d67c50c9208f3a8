#include "tests/support/postgres.h"

#include "worker/repository/schema_repository.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    QUERY_BYTES = 4096,
    CALL_TIMEOUT_MS = 30000,
    POLL_MS = 5,
    POLLS_MAX = 4000,
};

static char test_dsn[QUERY_BYTES];

static const char *
server_dsn(void)
{
    const char *dsn = getenv("TEST_POSTGRES_DSN");
    return dsn != NULL ? dsn : "";
}

bool
postgres_is_available(void)
{
    if (server_dsn()[0] != '\0')
        return true;
    puts("SKIPPED: TEST_POSTGRES_DSN is not set");
    return false;
}

static PgConn *
connect_to(const char *dsn)
{
    Error err = {0};
    PgConn *conn = NULL;
    const PgConnSettings settings = {.dsn = dsn,
                                     .application_name = "application",
                                     .connect_timeout_ms = 10000,
                                     .call_timeout_ms = CALL_TIMEOUT_MS};
    ASSERT_OK(pg_conn_open(&settings, &conn, &err), &err);
    return conn;
}

static char *
read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    StrBuf text = {0};
    char chunk[QUERY_BYTES];
    assert_non_null(file);
    for (size_t count; (count = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        strbuf_add(&text, chunk, count);
    assert_int_equal(fclose(file), 0);
    return strbuf_take(&text);
}

static void
migrate(void)
{
    Error err = {0};
    int before;
    int after;
    const DatabaseSettings settings = postgres_settings();
    Database *database = database_new(&settings, clock_system());
    assert_non_null(database);
    ASSERT_OK(schema_migrate(database, &before, &after, &err), &err);
    database_free(database);
}

int
postgres_create(const char *application_sql)
{
    return postgres_create_encoded(application_sql, "UTF8");
}

int
postgres_create_encoded(const char *application_sql, const char *encoding)
{
    char *schema = read_text(application_sql);
    Error err = {0};
    PGresult *result = NULL;
    PgConn *server = connect_to(server_dsn());
    postgres_exec(server,
                  "CREATE DATABASE cleanup_test_%d ENCODING '%s' LOCALE 'C' TEMPLATE template0",
                  (int)getpid(), encoding);
    pg_conn_free(server);
    (void)snprintf(test_dsn, sizeof(test_dsn), "%s dbname=cleanup_test_%d", server_dsn(),
                   (int)getpid());
    PgConn *conn = connect_to(test_dsn);
    ASSERT_OK(pg_conn_exec(conn, schema, &result, &err), &err);
    pg_result_free(result);
    pg_conn_free(conn);
    free(schema);
    migrate();
    return 0;
}

int
postgres_drop(void **state)
{
    (void)state;
    PgConn *server = connect_to(server_dsn());
    postgres_exec(server, "DROP DATABASE cleanup_test_%d WITH (FORCE)", (int)getpid());
    pg_conn_free(server);
    return 0;
}

DatabaseSettings
postgres_settings(void)
{
    return (DatabaseSettings){
        .dsn = test_dsn,
        .application_name = "cleanup-worker/test",
        .tables = {.users = "users",
                   .sessions = "sessions",
                   .messages = "messages",
                   .image_sent = "\"imageSent\"",
                   .video_sent = "\"videoSent\"",
                   .bookings = "bookings",
                   .session_references = "",
                   .time_zone = "UTC",
                   .message_sender_user = "user",
                   .message_sender_others = "bot",
                   .booking_status_pending = "Pending",
                   .booking_status_expired = "Expired"},
        .prepared_statements = true,
        .connect_timeout_ms = 10000,
        .statement_timeout_ms = 20000,
        .clock_skew_ms = 300000,
    };
}

char *
postgres_dsn(const char *role)
{
    StrBuf dsn = {0};
    strbuf_add_text(&dsn, test_dsn);
    if (role[0] != '\0')
        strbuf_add_format(&dsn, " user=%s", role);
    return strbuf_take(&dsn);
}

Database *
postgres_open(const DatabaseSettings *settings)
{
    Database *database = database_new(settings, clock_system());
    assert_non_null(database);
    return database;
}

PgConn *
postgres_connect(void)
{
    return connect_to(test_dsn);
}

static PGresult *exec_formatted(PgConn *conn, const char *format, va_list arguments)
    PRINTF_LIKE(2, 0);

static PGresult *
exec_formatted(PgConn *conn, const char *format, va_list arguments)
{
    Error err = {0};
    char *query = NULL;
    PGresult *result = NULL;
    assert_true(vasprintf(&query, format, arguments) >= 0);
    if (!pg_conn_exec(conn, query, &result, &err))
        fail_msg("%s: %s", query, err.text);
    free(query);
    return result;
}

void
postgres_exec(PgConn *conn, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pg_result_free(exec_formatted(conn, format, arguments));
    va_end(arguments);
}

void
postgres_exec_file(PgConn *conn, const char *path)
{
    Error err = {0};
    PGresult *result = NULL;
    char *text = read_text(path);
    ASSERT_OK(pg_conn_exec(conn, text, &result, &err), &err);
    pg_result_free(result);
    free(text);
}

void
postgres_copy_nothing(PgConn *conn, const char *copy)
{
    Error err = {0};
    PgCopy rows = {0};
    ASSERT_OK(pg_conn_copy_in(conn, copy, &rows, &err), &err);
    strbuf_done(&rows.bytes);
}

int64_t
postgres_number(PgConn *conn, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PGresult *result = exec_formatted(conn, format, arguments);
    va_end(arguments);
    assert_int_equal(pg_result_rows(result), 1);
    const int64_t number = pg_result_int64(result, 0, 0);
    pg_result_free(result);
    return number;
}

void
postgres_wait_until(PgConn *conn, const char *query)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        if (postgres_number(conn, "SELECT (%s)::int", query) != 0)
            return;
        (void)poll(NULL, 0, POLL_MS);
    }
    fail_msg("never came true: %s", query);
}

void
postgres_clear(PgConn *conn)
{
    postgres_exec(conn, "TRUNCATE users, properties, sessions, messages, \"imageSent\", "
                        "\"videoSent\", bookings, cleanup_worker.ledger, "
                        "cleanup_worker.ledger_range, cleanup_worker.ledger_skipped, "
                        "cleanup_worker.ledger_listed_id, cleanup_worker.ledger_skip_reason "
                        "CASCADE");
}
