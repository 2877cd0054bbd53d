"""The client checks in redis-py or valkey-py: check.py HOST PORT CHECK... (see Tests/ClientTests/ClientCheck.swift).

MULTISTORE_MODULE names the module, and MULTISTORE_PROTOCOL the version of the protocol that it has to speak when it is
not told which. With MULTISTORE_PARSER=hiredis the replies have to be parsed by hiredis-py, otherwise by the module
itself.
"""

import importlib
import os
import sys
import threading
import time

redis = importlib.import_module(os.environ["MULTISTORE_MODULE"])

HOST, PORT = sys.argv[1], int(sys.argv[2])
ALL_BYTES = bytes(range(256))
# With MULTISTORE_CA connections use TLS, and the server's certificate has to lead to the one in that file.
TLS = {"ssl": True, "ssl_ca_certs": os.environ["MULTISTORE_CA"]} if "MULTISTORE_CA" in os.environ else {}


def connect(**options):
    return redis.Redis(host=HOST, port=PORT, socket_timeout=20, **TLS, **options)


def expect(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"expected {wanted!r}, got {seen!r}")


def expect_error(kind, text, action):
    try:
        seen = action()
    except kind as error:
        if text not in str(error):
            raise AssertionError(f"expected an error with {text!r}, got {error!r}") from error
    else:
        raise AssertionError(f"expected an error with {text!r}, got {seen!r}")


def in_background(action):
    """Runs the action in a thread; returns a function that waits for it and gives its result."""
    box = {}

    def run():
        try:
            box["value"] = action()
        except BaseException as error:  # handed on to the one who waits
            box["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def wait():
        thread.join(20)
        if thread.is_alive():
            raise AssertionError("the thread is stuck")
        if "error" in box:
            raise box["error"]
        return box["value"]

    return wait


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")


def check_strings(r):
    expect(r.set("strings:a", "1"), True)
    expect(r.get("strings:a"), b"1")
    expect(r.set("strings:a", "2", nx=True), None)
    expect(r.set("strings:ttl", "x", ex=1000), True)
    expect(990 < r.ttl("strings:ttl") <= 1000, True)
    expect(r.mset({"strings:b": "b", "strings:c": "c"}), True)
    expect(r.mget("strings:b", "strings:none", "strings:c"), [b"b", None, b"c"])
    expect(r.incr("strings:n"), 1)
    expect(r.incrby("strings:n", 41), 42)
    expect(r.incrbyfloat("strings:n", 0.5), 42.5)
    expect(r.append("strings:b", "cd"), 3)
    expect(r.getrange("strings:b", 1, 2), b"cd")
    expect(r.getdel("strings:c"), b"c")
    expect(r.exists("strings:c"), 0)
    expect(r.delete("strings:a", "strings:none"), 1)


def check_hashes(r):
    expect(r.hset("hashes:a", mapping={"f": "1", "g": "two", "h": "3"}), 3)
    expect(r.hget("hashes:a", "g"), b"two")
    expect(r.hincrby("hashes:a", "f", 9), 10)
    expect(r.hmget("hashes:a", "f", "none", "g"), [b"10", None, b"two"])
    expect(r.hdel("hashes:a", "h"), 1)
    expect(r.hgetall("hashes:a"), {b"f": b"10", b"g": b"two"})
    expect(r.hlen("hashes:a"), 2)
    expect(r.hexists("hashes:a", "h"), False)


def check_lists(r):
    expect(r.rpush("lists:a", "a", "b", "c", "d"), 4)
    expect(r.lpush("lists:a", "z"), 5)
    expect(r.lrange("lists:a", 0, -1), [b"z", b"a", b"b", b"c", b"d"])
    expect(r.lindex("lists:a", 1), b"a")
    expect(r.lpop("lists:a"), b"z")
    expect(r.rpop("lists:a"), b"d")
    expect(r.lrem("lists:a", 0, "b"), 1)
    expect(r.ltrim("lists:a", 0, 0), True)
    expect(r.llen("lists:a"), 1)
    expect(r.lmove("lists:a", "lists:b", "LEFT", "RIGHT"), b"a")


def check_sets(r):
    expect(r.sadd("sets:a", "a", "b", "c", "d"), 4)
    expect(r.sadd("sets:b", "b", "c", "x"), 3)
    expect(set(r.smembers("sets:b")), {b"b", b"c", b"x"})
    expect(bool(r.sismember("sets:a", "a")), True)
    expect(set(r.sinter("sets:a", "sets:b")), {b"b", b"c"})
    expect(r.sunionstore("sets:c", "sets:a", "sets:b"), 5)
    expect(r.srem("sets:a", "a"), 1)
    expect(r.spop("sets:a") in {b"b", b"c", b"d"}, True)
    expect(r.scard("sets:a"), 2)


def check_sorted_sets(r):
    expect(r.zadd("zsets:a", {"a": 1, "b": 2.5, "c": 3}), 3)
    expect(r.zincrby("zsets:a", 10, "a"), 11.0)
    expect(r.zrange("zsets:a", 0, -1, withscores=True), [(b"b", 2.5), (b"c", 3.0), (b"a", 11.0)])
    expect(r.zscore("zsets:a", "b"), 2.5)
    expect(r.zrangebyscore("zsets:a", 2, 4), [b"b", b"c"])
    expect(r.zrank("zsets:a", "a"), 2)
    expect(r.zrem("zsets:a", "c"), 1)
    expect(r.zcard("zsets:a"), 2)


def check_binary(r):
    key = b"binary:" + ALL_BYTES
    expect(r.set(key, ALL_BYTES), True)
    expect(r.get(key), ALL_BYTES)
    expect(r.set("binary:empty", b""), True)
    expect(r.get("binary:empty"), b"")
    expect(r.hset("binary:hash", ALL_BYTES, b"\r\n"), 1)
    expect(r.hgetall("binary:hash"), {ALL_BYTES: b"\r\n"})
    large = ALL_BYTES * 4096
    expect(r.set("binary:large", large), True)
    expect(r.get("binary:large"), large)


def check_pipeline(r):
    pipeline = r.pipeline(transaction=False)
    for _ in range(100):
        pipeline.incr("pipeline:n")
    pipeline.rpush("pipeline:list", "a", "b")
    pipeline.lrange("pipeline:list", 0, -1)
    pipeline.get("pipeline:none")
    expect(pipeline.execute(), [*range(1, 101), 2, [b"a", b"b"], None])
    pipeline.incr("pipeline:list")
    pipeline.incr("pipeline:n")
    replies = pipeline.execute(raise_on_error=False)
    expect(isinstance(replies[0], redis.ResponseError), True)
    expect(replies[1], 101)


def check_transaction(r):
    transaction = r.pipeline(transaction=True)
    transaction.set("transaction:a", "1")
    transaction.incr("transaction:a")
    transaction.lpush("transaction:list", "x")
    transaction.get("transaction:a")
    expect(transaction.execute(), [True, 2, 1, b"2"])
    own = r.client()
    expect(own.execute_command("MULTI"), b"OK")
    expect(own.execute_command("INCR", "transaction:none"), b"QUEUED")
    expect(own.execute_command("DISCARD"), b"OK")
    expect(own.get("transaction:none"), None)
    own.close()


def check_watch(r):
    r.set("watch:a", "1")
    with r.pipeline() as transaction:
        transaction.watch("watch:a")
        expect(transaction.get("watch:a"), b"1")
        r.set("watch:a", "2")
        transaction.multi()
        transaction.set("watch:a", "lost")
        expect_error(redis.WatchError, "", transaction.execute)
    expect(r.get("watch:a"), b"2")
    with r.pipeline() as transaction:
        transaction.watch("watch:a")
        transaction.multi()
        transaction.append("watch:a", "3")
        expect(transaction.execute(), [2])
    expect(r.get("watch:a"), b"23")


def check_blocking(r):
    r.rpush("blocking:a", "1", "2")
    expect(r.blpop(["blocking:none", "blocking:a"], timeout=5), (b"blocking:a", b"1"))
    expect(r.brpop("blocking:a", timeout=5), (b"blocking:a", b"2"))
    expect(r.blpop("blocking:none", timeout=0.05), None)
    waiter = in_background(lambda: connect().blpop("blocking:b", timeout=15))
    wait_until(lambda: r.info("clients")["blocked_clients"] >= 1)
    expect(r.rpush("blocking:b", "x", "y") > 0, True)
    expect(waiter(), (b"blocking:b", b"x"))
    expect(r.blmove("blocking:b", "blocking:c", 5), b"y")
    expect(r.lrange("blocking:c", 0, -1), [b"y"])


def check_scripts(r):
    expect(r.eval("return {KEYS[1], ARGV[1], 7}", 1, "scripts:k", "v"), [b"scripts:k", b"v", 7])
    script = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    expect(script(keys=["scripts:n"], args=[5]), 5)
    expect(script(keys=["scripts:n"], args=[6]), 11)
    sha = r.script_load("return redis.call('SET', KEYS[1], ARGV[1])")
    expect(r.evalsha(sha, 1, "scripts:a", "loaded"), b"OK")
    expect(r.get("scripts:a"), b"loaded")
    expect_error(redis.exceptions.NoScriptError, "", lambda: r.evalsha("f" * 40, 0))


def check_scan(r):
    pipeline = r.pipeline(transaction=False)
    for number in range(250):
        pipeline.set(f"scan:{number}", number)
    pipeline.execute()
    wanted = {f"scan:{number}".encode() for number in range(250)}
    expect(set(r.scan_iter(match="scan:*", count=30)), wanted)
    fields = {f"f{number}": str(number) for number in range(250)}
    r.hset("scanned:hash", mapping=fields)
    expect(dict(r.hscan_iter("scanned:hash", count=30)), {k.encode(): v.encode() for k, v in fields.items()})
    r.sadd("scanned:set", *fields)
    expect(set(r.sscan_iter("scanned:set")), {name.encode() for name in fields})
    r.zadd("scanned:zset", {name: float(value) for name, value in fields.items()})
    expect(dict(r.zscan_iter("scanned:zset")), {k.encode(): float(v) for k, v in fields.items()})


def check_errors(r):
    r.set("errors:text", "abc")
    expect_error(redis.ResponseError, "WRONGTYPE", lambda: r.lpush("errors:text", "x"))
    expect_error(redis.ResponseError, "not an integer", lambda: r.incr("errors:text"))
    expect_error(redis.ResponseError, "unknown command", lambda: r.execute_command("NO-SUCH-COMMAND", "a"))
    expect_error(redis.ResponseError, "wrong number of arguments", lambda: r.execute_command("GET"))
    expect(r.get("errors:text"), b"abc")


def check_session(r):
    own = connect(client_name="checker").client()
    expect(own.client_getname() in ("checker", b"checker"), True)
    expect(own.client_setname("renamed"), True)
    expect(own.client_getname() in ("renamed", b"renamed"), True)
    expect(own.client_id() > 0, True)
    expect(own.ping(), True)
    expect(own.echo(b"\x00echo"), b"\x00echo")
    own.close()


def check_databases(r):
    other = connect(db=1)
    expect(r.set("databases:a", "zero"), True)
    expect(other.get("databases:a"), None)
    expect(other.set("databases:a", "one"), True)
    expect(r.get("databases:a"), b"zero")
    own = r.client()
    expect(own.execute_command("SELECT", 1), True)
    expect(own.get("databases:a"), b"one")
    expect_error(redis.ResponseError, "out of range", lambda: own.execute_command("SELECT", 4711))
    expect(own.execute_command("SELECT", 0), True)
    expect(own.get("databases:a"), b"zero")
    own.close()


def check_pubsub(r):
    listener = connect().pubsub()
    listener.subscribe("pubsub:a", b"pubsub:\xff\x00")
    listener.psubscribe("pubsub:p*")

    def next_message():
        message = listener.get_message(timeout=20)
        return message and (message["type"], message["channel"], message["data"])

    expect(next_message(), ("subscribe", b"pubsub:a", 1))
    expect(next_message(), ("subscribe", b"pubsub:\xff\x00", 2))
    expect(next_message(), ("psubscribe", b"pubsub:p*", 3))
    expect(r.publish("pubsub:a", "one"), 1)
    expect(r.publish("pubsub:pattern", ALL_BYTES), 1)
    expect(r.publish(b"pubsub:\xff\x00", "three"), 1)
    expect(next_message(), ("message", b"pubsub:a", b"one"))
    expect(next_message(), ("pmessage", b"pubsub:pattern", ALL_BYTES))
    expect(next_message(), ("message", b"pubsub:\xff\x00", b"three"))
    listener.unsubscribe("pubsub:a")
    expect(next_message(), ("unsubscribe", b"pubsub:a", 2))
    expect(r.publish("pubsub:a", "nobody"), 0)
    listener.close()


def main():
    client = connect()
    client.ping()
    parser = type(client.connection_pool.make_connection()._parser).__name__
    expect("Hiredis" in parser, os.environ["MULTISTORE_PARSER"] == "hiredis")
    expect(str(client.client_info()["resp"]), os.environ["MULTISTORE_PROTOCOL"])
    for name in sys.argv[3:]:
        globals()[f"check_{name}"](client)
        print(f"ok {name}", flush=True)
    print("done", flush=True)


main()
