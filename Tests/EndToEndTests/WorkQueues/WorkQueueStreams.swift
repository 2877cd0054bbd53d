/// A step of a work queue's client, as its library sends it (watched with MONITOR: RQ 3.0.0 and Celery 5.7.0 with
/// kombu 5.7.0 over redis-py).
enum WorkQueueStep {
  case command([String])
  /// Commands between MULTI and EXEC, in one write.
  case transaction([[String]])
  /// The same without MULTI and EXEC.
  case pipeline([[String]])

  static func command(_ line: String) -> WorkQueueStep { .command(split(line)) }

  static func transaction(_ lines: String...) -> WorkQueueStep { .transaction(lines.map(split)) }

  static func pipeline(_ lines: String...) -> WorkQueueStep { .pipeline(lines.map(split)) }

  private static func split(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
}

/// RQ: a queue is a list, a job a hash, each registry a sorted set, results are in a stream.
enum RQStreams {
  /// Queue.enqueue
  static func enqueue(_ job: String) -> [WorkQueueStep] {
    [
      .transaction("SADD rq:queues rq:queue:work"),
      .transaction(
        "HSET rq:job:\(job) status queued",
        "HSET rq:job:\(job) created_at 2026-11-29T20:05:18Z data pickled origin work timeout 180",
        "RPUSH rq:queue:work \(job)"
      ),
    ]
  }

  /// Queue.enqueue with depends_on, whose job the client watches.
  static func enqueueDependent(_ job: String, on dependency: String) -> [WorkQueueStep] {
    [
      .command("WATCH rq:job::\(job):dependencies"), .command("WATCH rq:job:\(dependency)"),
      .transaction(
        "HSET rq:job:\(job) status deferred",
        "ZADD rq:deferred:work 1795982718 \(job)",
        "SADD rq:job:\(dependency):dependents \(job)",
        "SADD rq:job::\(job):dependencies \(dependency)",
        "HSET rq:job:\(job) created_at 2026-11-29T20:05:18Z data pickled origin work timeout 180"
      ),
    ]
  }

  /// Worker.register_birth
  static func register(_ worker: String) -> [WorkQueueStep] {
    [
      .transaction(
        "DEL rq:worker:\(worker)",
        "HSET rq:worker:\(worker) birth now queues work pid 1",
        "SADD rq:workers rq:worker:\(worker)",
        "SADD rq:workers:work rq:worker:\(worker)",
        "EXPIRE rq:worker:\(worker) 480"
      )
    ]
  }

  /// Worker.dequeue_job_and_maintain_ttl up to the pop.
  static func look(_ worker: String) -> [WorkQueueStep] {
    [
      .transaction(
        "HSET rq:worker:\(worker) last_heartbeat now",
        "EXPIRE rq:worker:\(worker) 480",
        "EXPIRE rq:worker:\(worker):executions 480",
        "EXISTS rq:suspended"
      ),
      .command("HSET rq:worker:\(worker) state idle"), .command("EXPIRE rq:worker:\(worker) 480"),
    ]
  }

  static let pop = ["LMOVE", "rq:queue:work", "rq:queue:work:intermediate", "LEFT", "RIGHT"]

  /// Worker.execute_job and what follows a success.
  static func perform(_ job: String, _ worker: String) -> [WorkQueueStep] {
    let execution = "\(job):\(worker)"
    return [
      .command("HGETALL rq:job:\(job)"),
      .transaction(
        "HSET rq:execution:\(execution) id \(worker) job_id \(job)",
        "EXPIRE rq:execution:\(execution) 240",
        "ZADD rq:executions:\(job) 1795983018 \(worker)",
        "EXPIRE rq:executions:\(job) 300",
        "ZADD rq:wip:work 1795982958 \(execution)",
        "SADD rq:worker:\(worker):executions \(execution)",
        "EXPIRE rq:worker:\(worker):executions 300",
        "HSET rq:worker:\(worker) state busy"
      ),
      .transaction(
        "HSET rq:worker:\(worker) last_heartbeat now",
        "EXPIRE rq:worker:\(worker) 240",
        "EXPIRE rq:worker:\(worker):executions 240",
        "HSET rq:job:\(job) last_heartbeat now",
        "HSET rq:job:\(job) status started started_at now worker_name \(worker)",
        "PERSIST rq:job:\(job)",
        "LREM rq:queue:work:intermediate 1 \(job)"
      ),
      .command("WATCH rq:job:\(job):dependents"), .command("SMEMBERS rq:job:\(job):dependents"),
      .transaction(
        "DEL rq:job:\(job):dependents",
        "HINCRBY rq:worker:\(worker) successful_job_count 1",
        "HINCRBYFLOAT rq:worker:\(worker) total_working_time 0.0001",
        "HSET rq:job:\(job) status finished",
        "XADD rq:results:\(job) MAXLEN ~ 10 * type 1 return_value gAVLAi4=",
        "EXPIRE rq:results:\(job) 500",
        "ZADD rq:finished:work 1795983218 \(job)",
        "EXPIRE rq:job:\(job) 500",
        "EXPIRE rq:job:\(job):dependents 500",
        "EXPIRE rq:job::\(job):dependencies 500",
        "DEL rq:execution:\(execution)",
        "ZREM rq:wip:work \(execution)",
        "ZREM rq:executions:\(job) \(worker)",
        "SREM rq:worker:\(worker):executions \(execution)"
      ),
      .transaction("HGETALL rq:job:\(job)"),
    ]
  }
}

/// Celery: kombu's transport, where what is not acknowledged lies in a hash and a sorted set, and the result backend.
enum CeleryStreams {
  private static let priorities = ["celery", "celery\u{6}\u{16}3", "celery\u{6}\u{16}6", "celery\u{6}\u{16}9"]

  /// Channel._put, and Channel._size before it
  static func publish(_ task: String) -> [WorkQueueStep] {
    [
      .transaction(priorities.map { ["LLEN", $0] }),
      .command(["LPUSH", "celery", "{\"body\": \"\(task)\", \"headers\": {\"id\": \"\(task)\"}}"]),
    ]
  }

  static let pop = ["BRPOP"] + priorities + ["1"]

  /// QoS.append, the task, the result backend, QoS.ack, and the client that gets the result.
  static func perform(_ task: String) -> [WorkQueueStep] {
    let result = "celery-task-meta-\(task)"
    return [
      .transaction("ZADD unacked_index 1795982738.3825066 \(task)", "HSET unacked \(task) [body]"),
      .command("GET \(result)"),
      .transaction("SETEX \(result) 86400 {\"status\":\"SUCCESS\"}", "PUBLISH \(result) {\"status\":\"SUCCESS\"}"),
      // A chord's part of the older backends, which have no script for it.
      .pipeline(
        "ZADD celery-taskset-meta.j 1 \(task)",
        "ZCOUNT celery-taskset-meta.j -inf +inf",
        "GET celery-taskset-meta.t",
        "GET celery-taskset-meta.s",
        "EXPIRE celery-taskset-meta.j 86400",
        "EXPIRE celery-taskset-meta.t 86400",
        "EXPIRE celery-taskset-meta.s 86400"
      ),
      .transaction("ZREM unacked_index \(task)", "HDEL unacked \(task)"),
      .pipeline("GET \(result)", "TTL \(result)"),
    ]
  }
}
