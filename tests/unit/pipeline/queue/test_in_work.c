#include "tests/unit/pipeline/made.h"
#include "worker/pipeline/queue/in_work.h"

enum {
    MANY = 20000, /* far more than there are buckets at the start */
    TEXT_BYTES = 40,
};

#define FOR_USER COMMAND_CLEANUP_INACTIVE_SESSIONS_FOR_USER
#define PREVIEW COMMAND_GET_INACTIVE_SESSIONS_PREVIEW
#define CLEAN_ALL COMMAND_CLEANUP_INACTIVE_SESSIONS

typedef struct Fixture {
    InWork *in_work;
    Lane *lane;
} Fixture;

static int
set_up(void **state)
{
    Fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->in_work = in_work_new();
    fixture->lane = lane_new(0, NULL);
    assert_non_null(fixture->in_work);
    assert_non_null(fixture->lane);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    in_work_free(fixture->in_work);
    lane_unref(fixture->lane);
    free(fixture);
    return 0;
}

static Job *
make(Fixture *fixture, CommandTask task, const char *id, const char *user)
{
    return made_job(fixture->lane, 0, task, id, user);
}

static void
end(Fixture *fixture, Job *job)
{
    in_work_release(fixture->in_work, job);
    job_free(job);
}

static void
test_acquire_same_id_is_refused_until_release(void **state)
{
    Fixture *fixture = *state;
    Job *first = make(fixture, FOR_USER, "id", "user-1");
    Job *second = make(fixture, FOR_USER, "id", "user-2");
    assert_true(in_work_acquire(fixture->in_work, first));
    assert_true(in_work_acquire(fixture->in_work, first)); /* what it holds stays with it */
    assert_false(in_work_acquire(fixture->in_work, second));
    assert_false(in_work_acquire_id(fixture->in_work, second));
    in_work_release(fixture->in_work, first);
    assert_true(in_work_acquire(fixture->in_work, second));
    assert_false(in_work_acquire(fixture->in_work, first));
    end(fixture, first);
    end(fixture, second);
}

static void
test_acquire_same_user_takes_nothing(void **state)
{
    Fixture *fixture = *state;
    Job *first = make(fixture, FOR_USER, "id-1", "user");
    Job *second = make(fixture, FOR_USER, "id-2", "user");
    Job *same_id = make(fixture, FOR_USER, "id-2", "user-2");
    assert_true(in_work_acquire(fixture->in_work, first));
    assert_false(in_work_acquire(fixture->in_work, second));
    assert_true(in_work_acquire(fixture->in_work, same_id)); /* "id-2" was not kept */
    in_work_release_user(fixture->in_work, first);
    assert_true(first->id_key.held);
    in_work_release(fixture->in_work, same_id);
    assert_true(in_work_acquire(fixture->in_work, second));
    end(fixture, first);
    end(fixture, second);
    end(fixture, same_id);
}

static void
test_acquire_a_user_named_like_an_id_does_not_meet_it(void **state)
{
    Fixture *fixture = *state;
    Job *first = make(fixture, FOR_USER, "a", "b");
    Job *second = make(fixture, FOR_USER, "b", "a");
    assert_true(in_work_acquire(fixture->in_work, first));
    assert_true(in_work_acquire(fixture->in_work, second));
    end(fixture, first);
    end(fixture, second);
}

static void
test_acquire_preview_needs_no_user(void **state)
{
    Fixture *fixture = *state;
    Job *cleaner = make(fixture, FOR_USER, "id-1", "user");
    Job *preview = make(fixture, PREVIEW, "id-2", "user");
    assert_int_equal(preview->shape, TASK_SHAPE_READ);
    assert_true(in_work_needs_user(cleaner));
    assert_false(in_work_needs_user(preview));
    assert_true(in_work_acquire(fixture->in_work, cleaner));
    assert_true(in_work_acquire(fixture->in_work, preview));
    end(fixture, cleaner);
    end(fixture, preview);
}

static void
test_acquire_equal_runs_one_at_a_time(void **state)
{
    Fixture *fixture = *state;
    Job *first = make(fixture, CLEAN_ALL, "id-1", "");
    Job *second = make(fixture, CLEAN_ALL, "id-2", "");
    assert_true(first->share_key[0] != '\0');
    assert_true(in_work_acquire(fixture->in_work, first));
    assert_false(in_work_acquire(fixture->in_work, second));
    assert_false(second->id_key.held);
    /* A command that keeps its id keeps it when the run is refused. */
    assert_true(in_work_acquire_id(fixture->in_work, second));
    assert_false(in_work_acquire(fixture->in_work, second));
    assert_true(second->id_key.held);
    in_work_release(fixture->in_work, first);
    assert_true(in_work_acquire(fixture->in_work, second));
    end(fixture, first);
    end(fixture, second);
}

static void
test_acquire_many_finds_each(void **state)
{
    Fixture *fixture = *state;
    Job **jobs = calloc(MANY, sizeof(Job *));
    assert_non_null(jobs);
    for (int i = 0; i < MANY; i++) {
        char id[TEXT_BYTES];
        char user[TEXT_BYTES];
        assert_true(snprintf(id, sizeof(id), "id-%d", i) > 0);
        assert_true(snprintf(user, sizeof(user), "user-%d", i) > 0);
        jobs[i] = make(fixture, FOR_USER, id, user);
        assert_true(in_work_acquire(fixture->in_work, jobs[i]));
    }
    for (int i = 0; i < MANY; i++) {
        Job *same = make(fixture, FOR_USER, jobs[i]->command.id, "other");
        assert_false(in_work_acquire(fixture->in_work, same));
        in_work_release(fixture->in_work, jobs[i]);
        assert_true(in_work_acquire(fixture->in_work, same));
        end(fixture, same);
        end(fixture, jobs[i]);
    }
    free(jobs);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_acquire_same_id_is_refused_until_release),
        CASE(test_acquire_same_user_takes_nothing),
        CASE(test_acquire_a_user_named_like_an_id_does_not_meet_it),
        CASE(test_acquire_preview_needs_no_user),
        CASE(test_acquire_equal_runs_one_at_a_time),
        CASE(test_acquire_many_finds_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
