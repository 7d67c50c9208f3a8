#include "common/json.h"

#include "common/utf8.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum {
    FEW_KEYS = 8,
};

typedef struct Scanner {
    const unsigned char *bytes;
    size_t size;
    size_t at;
    int max_depth;
    JsonFault fault;
} Scanner;

static int
peek(const Scanner *scanner)
{
    return scanner->at < scanner->size ? scanner->bytes[scanner->at] : -1;
}

static bool
scan_fault(Scanner *scanner, JsonFault fault)
{
    if (scanner->fault == JSON_FAULT_NONE)
        scanner->fault = fault;
    return false;
}

static bool
take(Scanner *scanner, int wanted)
{
    if (peek(scanner) != wanted)
        return false;
    scanner->at++;
    return true;
}

static void
skip_space(Scanner *scanner)
{
    while (peek(scanner) == ' ' || peek(scanner) == '\t' || peek(scanner) == '\n' ||
           peek(scanner) == '\r')
        scanner->at++;
}

static bool
check_utf8(Scanner *scanner)
{
    if (scanner->size >= 3 && memcmp(scanner->bytes, "\xEF\xBB\xBF", 3) == 0)
        return scan_fault(scanner, JSON_FAULT_UTF8);
    const size_t span = utf8_span((const char *)scanner->bytes, scanner->size);
    if (span == scanner->size)
        return true;
    scanner->at = span;
    return scan_fault(scanner, JSON_FAULT_UTF8);
}

static bool
scan_hex4(Scanner *scanner, unsigned *ret_unit)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++) {
        const int digit = peek(scanner);
        if (digit < 0 || !isxdigit(digit))
            return scan_fault(scanner, JSON_FAULT_SYNTAX);
        const int value = isdigit(digit) ? digit - '0' : (tolower(digit) - 'a') + 10;
        unit = unit * 16 + (unsigned)value;
        scanner->at++;
    }
    *ret_unit = unit;
    return true;
}

/* After "\u": surrogates come in pairs, and U+0000 not at all. */
static bool
scan_unicode_escape(Scanner *scanner)
{
    unsigned unit;
    if (!scan_hex4(scanner, &unit))
        return false;
    if (unit == 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
        return scan_fault(scanner, JSON_FAULT_SYNTAX);
    if (unit < 0xD800 || unit > 0xDBFF)
        return true;
    if (!take(scanner, '\\') || !take(scanner, 'u') || !scan_hex4(scanner, &unit) ||
        unit < 0xDC00 || unit > 0xDFFF)
        return scan_fault(scanner, JSON_FAULT_SYNTAX);
    return true;
}

static bool
scan_string(Scanner *scanner)
{
    if (!take(scanner, '"'))
        return scan_fault(scanner, JSON_FAULT_SYNTAX);
    for (;;) {
        const int character = peek(scanner);
        if (character < 0x20)
            return scan_fault(scanner, JSON_FAULT_SYNTAX);
        scanner->at++;
        if (character == '"')
            return true;
        if (character != '\\')
            continue;
        const int escape = peek(scanner);
        if (escape <= 0 || strchr("\"\\/bfnrtu", escape) == NULL)
            return scan_fault(scanner, JSON_FAULT_SYNTAX);
        scanner->at++;
        if (escape == 'u' && !scan_unicode_escape(scanner))
            return false;
    }
}

static bool
scan_digits(Scanner *scanner)
{
    const size_t start = scanner->at;
    while (peek(scanner) >= '0' && peek(scanner) <= '9')
        scanner->at++;
    return scanner->at > start || scan_fault(scanner, JSON_FAULT_SYNTAX);
}

static bool
scan_number_text(Scanner *scanner)
{
    (void)take(scanner, '-');
    if (!take(scanner, '0') && !scan_digits(scanner))
        return false;
    if (take(scanner, '.') && !scan_digits(scanner))
        return false;
    if (take(scanner, 'e') || take(scanner, 'E')) {
        if (!take(scanner, '+'))
            (void)take(scanner, '-');
        return scan_digits(scanner);
    }
    return true;
}

/* Several releases of cJSON refuse a longer number, which would look like lack of memory. */
static bool
scan_number(Scanner *scanner)
{
    const size_t start = scanner->at;
    return scan_number_text(scanner) &&
           (scanner->at - start <= JSON_NUMBER_MAX_BYTES || scan_fault(scanner, JSON_FAULT_SYNTAX));
}

static bool
scan_word(Scanner *scanner, const char *word)
{
    const size_t length = strlen(word);
    if (scanner->size - scanner->at < length ||
        memcmp(scanner->bytes + scanner->at, word, length) != 0)
        return scan_fault(scanner, JSON_FAULT_SYNTAX);
    scanner->at += length;
    return true;
}

static bool scan_value(Scanner *scanner, int depth);

/* Members or elements up to the closing character. */
static bool
scan_container(Scanner *scanner, int close, int depth)
{
    if (depth > scanner->max_depth)
        return scan_fault(scanner, JSON_FAULT_DEPTH);
    scanner->at++;
    skip_space(scanner);
    if (take(scanner, close))
        return true;
    for (;;) {
        skip_space(scanner);
        if (close == '}') {
            if (!scan_string(scanner))
                return false;
            skip_space(scanner);
            if (!take(scanner, ':'))
                return scan_fault(scanner, JSON_FAULT_SYNTAX);
        }
        if (!scan_value(scanner, depth))
            return false;
        skip_space(scanner);
        if (take(scanner, close))
            return true;
        if (!take(scanner, ','))
            return scan_fault(scanner, JSON_FAULT_SYNTAX);
    }
}

static bool
scan_value(Scanner *scanner, int depth)
{
    skip_space(scanner);
    switch (peek(scanner)) {
    case '{':
        return scan_container(scanner, '}', depth + 1);
    case '[':
        return scan_container(scanner, ']', depth + 1);
    case '"':
        return scan_string(scanner);
    case 't':
        return scan_word(scanner, "true");
    case 'f':
        return scan_word(scanner, "false");
    case 'n':
        return scan_word(scanner, "null");
    default:
        return scan_number(scanner);
    }
}

static bool
scan_text(Scanner *scanner)
{
    if (!check_utf8(scanner) || !scan_value(scanner, 0))
        return false;
    skip_space(scanner);
    return scanner->at == scanner->size || scan_fault(scanner, JSON_FAULT_SYNTAX);
}

static int
compare_keys(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Of the few that most objects have. */
static JsonFault
compare_each(const cJSON *object)
{
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        for (const cJSON *other = member->next; other != NULL; other = other->next) {
            if (strcmp(member->string, other->string) == 0)
                return JSON_FAULT_DUPLICATE_KEY;
        }
    }
    return JSON_FAULT_NONE;
}

/* Sorting keeps an object of thousands of keys from taking quadratic time. */
static JsonFault
check_keys_of(const cJSON *object)
{
    const size_t count = (size_t)cJSON_GetArraySize(object);
    if (count <= FEW_KEYS)
        return compare_each(object);
    CLEANUP(autofree) const char **keys = calloc(count, sizeof(*keys));
    if (keys == NULL)
        return JSON_FAULT_MEMORY;
    size_t filled = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        keys[filled++] = member->string;
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(keys[i - 1], keys[i]) == 0)
            return JSON_FAULT_DUPLICATE_KEY;
    }
    return JSON_FAULT_NONE;
}

static JsonFault
check_tree(const cJSON *node)
{
    if (cJSON_IsNumber(node) && !isfinite(node->valuedouble))
        return JSON_FAULT_SYNTAX;
    JsonFault fault = cJSON_IsObject(node) ? check_keys_of(node) : JSON_FAULT_NONE;
    for (const cJSON *child = node->child; child != NULL && fault == JSON_FAULT_NONE;
         child = child->next)
        fault = check_tree(child);
    return fault;
}

JsonFault
json_parse(const char *bytes, size_t size, int max_depth, cJSON **ret_root, size_t *ret_position)
{
    Scanner scanner = {.bytes = (const unsigned char *)bytes, .size = size, .max_depth = max_depth};
    *ret_position = 0;
    if (!scan_text(&scanner)) {
        *ret_position = scanner.at;
        return scanner.fault;
    }
    cJSON *root = cJSON_ParseWithLengthOpts(bytes, size, NULL, false);
    if (root == NULL)
        return JSON_FAULT_MEMORY;
    const JsonFault fault = check_tree(root);
    if (fault != JSON_FAULT_NONE) {
        cJSON_Delete(root);
        return fault;
    }
    *ret_root = root;
    return JSON_FAULT_NONE;
}

void
json_deletep(cJSON **root)
{
    cJSON_Delete(*root);
    *root = NULL;
}
