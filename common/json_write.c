#include "common/json_write.h"

#include "common/clock.h"
#include "common/digits.h"
#include "common/utf8.h"

#include <string.h>

/* Comma, name and colon, in one piece. */
static void
begin_value(StrBuf *json, const char *name)
{
    const char last = json->length > 0 ? json->data[json->length - 1] : '{';
    const bool follows = last != '{' && last != '[';
    if (name == NULL) {
        if (follows)
            strbuf_add_char(json, ',');
        return;
    }
    const size_t length = strlen(name);
    char *at = strbuf_extend(json, follows + length + 3);
    if (at == NULL)
        return;
    if (follows)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, name, length);
    memcpy(at + length, "\":", 2);
}

void
json_open_object(StrBuf *json, const char *name)
{
    begin_value(json, name);
    strbuf_add_char(json, '{');
}

void
json_close_object(StrBuf *json)
{
    strbuf_add_char(json, '}');
}

void
json_open_array(StrBuf *json, const char *name)
{
    begin_value(json, name);
    strbuf_add_char(json, '[');
}

void
json_close_array(StrBuf *json)
{
    strbuf_add_char(json, ']');
}

static void
add_escape(StrBuf *json, unsigned char character)
{
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    static const char hex[] = "0123456789abcdef";
    const char *found = strchr(named, character);
    if (found != NULL) {
        const char escape[] = {'\\', letters[found - named]};
        strbuf_add(json, escape, sizeof(escape));
    } else {
        const char escape[] = {'\\', 'u', '0', '0', hex[character >> 4U], hex[character & 0xFU]};
        strbuf_add(json, escape, sizeof(escape));
    }
}

/* U+FFFD, the replacement character, for each byte that is part of no character. */
static void
quote_broken(StrBuf *json, const char *text, size_t length)
{
    CLEANUP(strbuf_done) StrBuf mended = {0};
    for (size_t at = 0; at < length;) {
        const size_t span = utf8_span(text + at, length - at);
        strbuf_add(&mended, text + at, span);
        at += span;
        if (at++ < length)
            strbuf_add_text(&mended, "\xEF\xBF\xBD");
    }
    json->failed |= mended.failed;
    json_quote(json, strbuf_text(&mended));
}

static bool
is_plain(unsigned char character)
{
    return character >= 0x20 && character < 0x80 && character != '"' && character != '\\';
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Sets the high bit of a byte, or of one behind it, when a byte of `word` is `byte`; exact when
 * none is. */
static uint64_t
marks_of(uint64_t word, uint64_t byte)
{
    const uint64_t differs = word ^ EACH_BYTE(byte);
    return (differs - EACH_BYTE(1)) & ~differs;
}

static bool
eight_are_plain(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    const uint64_t control = (word - EACH_BYTE(0x20)) & ~word;
    return ((word | control | marks_of(word, '"') | marks_of(word, '\\')) & EACH_BYTE(0x80)) == 0;
}

/* How many bytes from the start are written as they are, whatever follows. */
static size_t
plain_span(const char *text, size_t length)
{
    size_t at = 0;
    while (length - at >= sizeof(uint64_t) && eight_are_plain(text + at))
        at += sizeof(uint64_t);
    while (at < length && is_plain((unsigned char)text[at]))
        at++;
    return at;
}

static void
add_plain(StrBuf *json, const char *text, size_t length)
{
    char *at = strbuf_extend(json, length + 2);
    if (at == NULL)
        return;
    at[0] = '"';
    memcpy(at + 1, text, length);
    at[length + 1] = '"';
}

static void
quote_text(StrBuf *json, const char *text)
{
    strbuf_add_char(json, '"');
    const char *plain = text;
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char character = (unsigned char)*at;
        if (character >= 0x20 && character != '"' && character != '\\')
            continue;
        strbuf_add(json, plain, (size_t)(at - plain));
        add_escape(json, character);
        plain = at + 1;
    }
    strbuf_add_text(json, plain);
    strbuf_add_char(json, '"');
}

void
json_quote(StrBuf *json, const char *text)
{
    const size_t length = strlen(text);
    if (plain_span(text, length) == length)
        add_plain(json, text, length);
    else if (utf8_is_valid(text, length))
        quote_text(json, text);
    else
        quote_broken(json, text, length);
}

void
json_add_text(StrBuf *json, const char *name, const char *text)
{
    if (text == NULL) {
        json_add_raw(json, name, NULL);
        return;
    }
    begin_value(json, name);
    json_quote(json, text);
}

void
json_add_bool(StrBuf *json, const char *name, bool flag)
{
    json_add_raw(json, name, flag ? "true" : "false");
}

void
json_add_int64(StrBuf *json, const char *name, int64_t number)
{
    char digits[DIGITS_BYTES];
    json_add_raw(json, name, digits_of_int64(number, digits));
}

void
json_add_tenths(StrBuf *json, const char *name, int64_t tenths)
{
    const int64_t rest = tenths % 10;
    char digits[DIGITS_BYTES];
    json_add_raw(json, name,
                 tenths < 0 && tenths > -10 ? "-0" : digits_of_int64(tenths / 10, digits));
    if (rest != 0) {
        const char decimal[] = {'.', (char)('0' + (rest < 0 ? -rest : rest))};
        strbuf_add(json, decimal, sizeof(decimal));
    }
}

void
json_add_time(StrBuf *json, const char *name, int64_t time_us)
{
    char time[CLOCK_TEXT_BYTES];
    clock_format(time_us, time);
    json_add_text(json, name, time);
}

void
json_add_raw(StrBuf *json, const char *name, const char *value)
{
    begin_value(json, name);
    strbuf_add_text(json, value != NULL ? value : "null");
}
