"""The task of drive_celery.py: counts itself in Redis, by REDIS_PORT."""
import os

import redis
from celery import Celery

PORT = int(os.environ["REDIS_PORT"])
app = Celery("rival", broker=f"redis://127.0.0.1:{PORT}/1", backend=None)
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=4,
    task_acks_late=True,  # a job of a killed worker runs again
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    task_serializer="json",
)
counter = redis.Redis(port=PORT, db=5)


@app.task(name="noop", ignore_result=True)
def noop(_):
    counter.incr("done")
