#include "common/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The vectors of RFC 4648, section 10. */
static const struct {
    const char *plain;
    const char *encoded;
} vectors[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"}};

static void
test_encode_vectors_gives_the_standards_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        char text[16];
        const size_t size = strlen(vectors[i].plain);
        assert_int_equal(base64_encoded_size(size), strlen(vectors[i].encoded));
        base64_encode((const uint8_t *)vectors[i].plain, size, text);
        assert_string_equal(text, vectors[i].encoded);
    }
}

static void
test_decode_vectors_gives_the_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        uint8_t bytes[16];
        size_t size = 0;
        assert_true(base64_decode(vectors[i].encoded, strlen(vectors[i].encoded), bytes,
                                  sizeof(bytes), &size));
        assert_int_equal(size, strlen(vectors[i].plain));
        assert_memory_equal(bytes, vectors[i].plain, size);
    }
}

static void
test_decode_what_is_not_base64_fails(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Z", "Zg", "Zg=", "Z===", "====", "Zm=v", "Zm9v Zm9", "Zm9-"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        uint8_t bytes[16];
        size_t size;
        assert_false(base64_decode(texts[i], strlen(texts[i]), bytes, sizeof(bytes), &size));
    }
}

static void
test_decode_more_than_fits_fails(void **state)
{
    (void)state;
    uint8_t bytes[5];
    size_t size;
    assert_false(base64_decode("Zm9vYmFy", 8, bytes, sizeof(bytes), &size));
    assert_true(base64_decode("Zm9vYmE=", 8, bytes, sizeof(bytes), &size));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode_vectors_gives_the_standards_text),
        cmocka_unit_test(test_decode_vectors_gives_the_bytes),
        cmocka_unit_test(test_decode_what_is_not_base64_fails),
        cmocka_unit_test(test_decode_more_than_fits_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
