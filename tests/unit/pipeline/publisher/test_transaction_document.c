/* ARCHITECTURE.md shows the table of transaction_table.c. Every cell is compared, so that neither
 * can change without the other. */
#include "common/macros.h"
#include "worker/pipeline/publisher/transaction_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN "<!-- transaction-steps -->\n"
#define END "<!-- /transaction-steps -->"

enum {
    DOCUMENT_MAX_BYTES = 200000,
    CELL_BYTES = 64,
    COLUMNS = 1 + STEP_ENDINGS, /* the step, then where each ending leads */
    HEAD_ROWS = 2,              /* the endings' names, and Markdown's rule below them */
};

typedef struct Row {
    char cells[COLUMNS][CELL_BYTES];
} Row;

static char *
read_document(void)
{
    FILE *file = fopen(SOURCE_DIR "/ARCHITECTURE.md", "r");
    assert_non_null(file);
    char *text = calloc(1, DOCUMENT_MAX_BYTES);
    assert_non_null(text);
    assert_true(fread(text, 1, DOCUMENT_MAX_BYTES - 1, file) > 0);
    (void)fclose(file);
    return text;
}

static void
copy_trimmed(const char *from, size_t length, char ret_cell[CELL_BYTES])
{
    while (length > 0 && from[0] == ' ') {
        from++;
        length--;
    }
    while (length > 0 && from[length - 1] == ' ')
        length--;
    assert_true(length < CELL_BYTES);
    memcpy(ret_cell, from, length);
    ret_cell[length] = '\0';
}

/* Returns what follows the line. */
static const char *
read_row(const char *line, Row *ret_row)
{
    assert_int_equal(line[0], '|');
    const char *at = line + 1;
    for (int column = 0; column < COLUMNS; column++) {
        const size_t length = strcspn(at, "|\n");
        if (at[length] != '|')
            fail_msg("too few cells: %.*s", (int)strcspn(line, "\n"), line);
        copy_trimmed(at, length, ret_row->cells[column]);
        at += length + 1;
    }
    if (at[0] != '\n')
        fail_msg("too many cells: %.*s", (int)strcspn(line, "\n"), line);
    return at + 1;
}

/* All rows of the document, with the names of the endings first. */
static void
read_table(Row rows[HEAD_ROWS + TRANSACTION_STEPS])
{
    CLEANUP(autofree) char *document = read_document();
    const char *at = strstr(document, BEGIN);
    assert_non_null(at);
    at += strlen(BEGIN);
    for (int row = 0; row < HEAD_ROWS + TRANSACTION_STEPS; row++)
        at = read_row(at, &rows[row]);
    if (strncmp(at, END, strlen(END)) != 0)
        fail_msg("more rows than steps: %.*s", (int)strcspn(at, "\n"), at);
}

static const char *
fate_words(TransactionFate fate)
{
    switch (fate) {
    case FATE_OPEN:
        return "";
    case FATE_COMMITTED:
        return ", delivered";
    case FATE_ABORTED:
        return ", again";
    case FATE_LOOKED_UP:
        return ", looked up";
    }
    return "?";
}

static void
assert_cell(const Row *row, int column, const char *expected)
{
    if (strcmp(row->cells[column], expected) != 0)
        fail_msg("the row of %s says \"%s\" in column %d where the code says \"%s\"", row->cells[0],
                 row->cells[column], column, expected);
}

static void
test_document_names_every_ending(void **state)
{
    (void)state;
    Row rows[HEAD_ROWS + TRANSACTION_STEPS];
    read_table(rows);
    assert_cell(&rows[0], 0, "step");
    for (int ending = 0; ending < STEP_ENDINGS; ending++) {
        char expected[CELL_BYTES];
        (void)snprintf(expected, sizeof(expected), "`%s`",
                       transaction_ending_name((TransactionEnding)ending));
        assert_cell(&rows[0], 1 + ending, expected);
    }
}

static void
test_document_says_where_each_step_leads(void **state)
{
    (void)state;
    Row rows[HEAD_ROWS + TRANSACTION_STEPS];
    read_table(rows);
    for (int step = 0; step < TRANSACTION_STEPS; step++) {
        const Row *row = &rows[HEAD_ROWS + step];
        char expected[CELL_BYTES];
        (void)snprintf(expected, sizeof(expected), "`%s`",
                       transaction_step_name((TransactionStep)step));
        assert_cell(row, 0, expected);
        for (int ending = 0; ending < STEP_ENDINGS; ending++) {
            const TransactionMove move =
                transaction_move((TransactionStep)step, (TransactionEnding)ending);
            (void)snprintf(expected, sizeof(expected), "%s%s", transaction_step_name(move.next),
                           fate_words(move.fate));
            assert_cell(row, 1 + ending, expected);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document_names_every_ending),
        cmocka_unit_test(test_document_says_where_each_step_leads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
