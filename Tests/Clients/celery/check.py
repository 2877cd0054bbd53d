"""Celery with Redis as its broker and its result backend: check.py HOST PORT CHECK... (see Tests/ClientTests/Client+All.swift).

It comes with a redis-py that speaks RESP3, and can't be told to use RESP2.
"""

import os
import subprocess
import sys

import celery

URL = os.environ.get("MULTISTORE_URL") or f"redis://{sys.argv[1]}:{sys.argv[2]}/0"
app = celery.Celery("check", broker=URL, backend=URL)
app.conf.update(broker_connection_retry_on_startup=True, result_expires=1000)


@app.task(name="add")
def add(a, b):
    return a + b


@app.task(name="fail")
def fail():
    raise ValueError("as it should")


def expect(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"expected {wanted!r}, got {seen!r}")


def check_tasks():
    expect(add.delay(1, 2).get(timeout=60), 3)
    results = [add.delay(number, number) for number in range(50)]
    expect([result.get(timeout=60) for result in results], [2 * number for number in range(50)])


def check_groups():
    expect(celery.group(add.s(number, 1) for number in range(20)).delay().get(timeout=60), list(range(1, 21)))
    chord = celery.chord([add.s(1, 1), add.s(2, 2)], tsum.s())
    expect(chord.delay().get(timeout=60), 6)
    expect(celery.chain(add.s(1, 2), add.s(3)).delay().get(timeout=60), 6)


@app.task(name="tsum")
def tsum(numbers):
    return sum(numbers)


def check_errors():
    try:
        seen = fail.delay().get(timeout=60)
    except ValueError as error:
        expect(str(error), "as it should")
    else:
        raise AssertionError(f"expected an error, got {seen!r}")


def check_control():
    expect(list(app.control.inspect(timeout=60, limit=1).ping().values()), [{"ok": "pong"}])


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "check", "worker", "--pool=threads", "--concurrency=4", "--loglevel=CRITICAL"],
        cwd=folder,
        env=dict(os.environ, MULTISTORE_URL=URL, PYTHONDONTWRITEBYTECODE="1"),
        stdout=subprocess.DEVNULL,
    )
    try:
        for name in sys.argv[3:]:
            globals()[f"check_{name}"]()
            print(f"ok {name}", flush=True)
    finally:
        worker.terminate()
        worker.wait(60)
    print("done", flush=True)


if __name__ == "__main__":
    main()
