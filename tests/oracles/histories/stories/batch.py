"""Jobs and CronJobs."""

from tests.oracles.histories.stories.parts import (
    create,
    delete,
    job,
    kubelet,
    made,
    node,
    sleep,
    spec,
    story,
    template,
    wait,
)

TASK = "Job/task"
EVERY_MINUTE = "* * * * *"


def done(condition, of="task"):
    """The condition stands in a Job."""
    return wait(f'Job/{of}.status.conditions[type={condition}].status == "True"', 90)


def task(name, about, *steps, **fields):
    """A story of a Job."""
    return story("job", name, about, node("n1"), create(job("task", **fields)), *steps)


def cron(name, about, *steps, **fields):
    """A story of a CronJob, that begins in the first seconds of a minute."""
    each = {"spec": {"template": template("tick", restartPolicy="Never")}}
    whole = made("batch/v1", "CronJob", "tick", spec={"schedule": EVERY_MINUTE, "jobTemplate": each, **fields})
    begun = wait("clock.second >= 5 and clock.second <= 20")
    return story("cronjob", name, about, node("n1"), begun, create(whole), *steps)


def counted(pattern, what, limit=6, **more):
    """A pod failure policy of one rule."""
    return {"podFailurePolicy": {"rules": [{"action": what, **pattern}]}, "backoffLimit": limit, **more}


def exits(*codes):
    """The part of a rule that looks at exit codes."""
    return {"onExitCodes": {"containerName": "c", "operator": "In", "values": list(codes)}}


STORIES = [
    task(
        "five-by-two",
        "Five completions, two at a time.",
        *(kubelet("succeed", "task"), kubelet("succeed", "task"), kubelet("succeed", "task"), done("Complete")),
        completions=5,
        parallelism=2,
    ),
    task(
        "fails-twice",
        "One failure is forgiven, the second is not.",
        *(kubelet("fail", "task"), kubelet("fail", "task"), done("Failed")),
        backoffLimit=1,
    ),
    task(
        "three-indexes",
        "Indexed: the middle one fails once and is made again.",
        *(kubelet("run", "task"), kubelet("succeed", "task", 1), kubelet("fail", "task", 1), sleep(12)),
        *(kubelet("succeed", "task"), done("Complete")),
        completions=3,
        parallelism=3,
        completionMode="Indexed",
    ),
    task(
        "waits-and-goes-on",
        "Suspended from the beginning, resumed, suspended again and resumed.",
        *(spec(TASK, suspend=False), kubelet("run", "task"), spec(TASK, suspend=True), kubelet("gone", "task")),
        *(spec(TASK, suspend=False), kubelet("succeed", "task"), done("Complete")),
        suspend=True,
        completions=2,
        parallelism=2,
    ),
    task(
        "too-long",
        "It has 6 s, and needs more.",
        *(kubelet("run", "task"), wait("Pod[metadata.deletionTimestamp!=null].length >= 1"), kubelet("gone", "task")),
        done("Failed"),
        activeDeadlineSeconds=6,
    ),
    task(
        "gone-after-three-seconds",
        "Finished, it is deleted after 3 s.",
        *(kubelet("succeed", "task"), wait("Job/task == null")),
        ttlSecondsAfterFinished=3,
    ),
    task(
        "does-not-count",
        "Exit code 7 does not count, 1 does.",
        *(kubelet("fail", "task", code=7), sleep(2), kubelet("fail", "task", code=1), done("Failed")),
        **counted(exits(7), "Ignore", 0),
    ),
    task(
        "enough-is-enough",
        "Two of three indexes are enough.",
        *(kubelet("run", "task"), kubelet("succeed", "task", 2)),
        *(wait("Pod[metadata.deletionTimestamp!=null].length >= 1"), kubelet("gone", "task"), done("Complete")),
        completions=3,
        parallelism=3,
        completionMode="Indexed",
        successPolicy={"rules": [{"succeededCount": 2}]},
    ),
    task(
        "each-index-for-itself",
        "Each index may fail once; one fails for good, the other succeeds.",
        *(
            kubelet("fail", "task", 1),
            kubelet("succeed", "task", 1),
            sleep(12),
            kubelet("fail", "task"),
            done("Failed"),
        ),
        completions=2,
        parallelism=2,
        completionMode="Indexed",
        backoffLimitPerIndex=1,
    ),
    task(
        "wider-and-narrower",
        "Four side by side become one, and then two.",
        *(kubelet("run", "task"), spec(TASK, parallelism=1), kubelet("gone", "task"), spec(TASK, parallelism=2)),
        *(kubelet("succeed", "task"), kubelet("succeed", "task"), done("Complete")),
        completions=4,
        parallelism=4,
    ),
    task(
        "deleted-while-it-runs",
        "Deleted in the background with two running pods.",
        *(kubelet("run", "task"), delete(TASK, propagationPolicy="Background"), kubelet("gone", "task")),
        completions=2,
        parallelism=2,
    ),
    cron(
        "not-two-at-once",
        "Forbid: the Job of the first minute still runs when the second comes; then it is suspended.",
        *(wait("ever.Job.length >= 1", 70), kubelet("run", "tick"), wait("clock.minutes >= 1", 70), sleep(4)),
        *(spec("CronJob/tick", suspend=True), kubelet("succeed", "tick"), sleep(3)),
        concurrencyPolicy="Forbid",
    ),
    cron(
        "the-newer-one",
        "Replace: the second minute takes the place of the first.",
        *(wait("ever.Job.length >= 1", 70), kubelet("run", "tick"), wait("ever.Job.length >= 2", 70)),
        *(spec("CronJob/tick", suspend=True), kubelet("gone", "tick"), delete("CronJob/tick"), kubelet("gone", "tick")),
        concurrencyPolicy="Replace",
    ),
]
