#include "common/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_index_finds_whole_words_alone(void **state)
{
    (void)state;
    assert_int_equal(words_index("text|json|ini", "text"), 0);
    assert_int_equal(words_index("text|json|ini", "json"), 1);
    assert_int_equal(words_index("text|json|ini", "ini"), 2);
    assert_int_equal(words_index("text|json|ini", "JSON"), 1);
    assert_int_equal(words_index("only", "only"), 0);
    static const char *const absent[] = {"", "tex", "texts", "json|ini", "|", "in"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_int_equal(words_index("text|json|ini", absent[i]), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_finds_whole_words_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
