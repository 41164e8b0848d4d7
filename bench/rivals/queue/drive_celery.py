"""Celery with two prefork processes over Redis: prints jobs/s from the first job that ended."""
import subprocess
import sys
import time

import celery_tasks

count = int(sys.argv[1])
counter = celery_tasks.counter
counter.flushall()
with celery_tasks.app.producer_or_acquire() as producer:
    for i in range(count):
        celery_tasks.noop.apply_async((i,), producer=producer)
worker = subprocess.Popen(
    [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "-P", "prefork", "-c", "2",
     "-l", "error", "--without-gossip", "--without-mingle", "--without-heartbeat"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    deadline = time.time() + 120
    while not int(counter.get("done") or 0):
        if time.time() > deadline:
            sys.exit("no job ended")
        time.sleep(0.01)
    begin, before = time.time(), int(counter.get("done"))
    while (done := int(counter.get("done"))) < count and time.time() < deadline:
        time.sleep(0.02)
    print(f"{(done - before) / (time.time() - begin):.1f}")
finally:
    worker.terminate()
    try:
        worker.wait(8)
    except subprocess.TimeoutExpired:
        worker.kill()
