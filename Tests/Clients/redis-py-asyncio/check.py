"""The client checks in redis-py's asyncio client: check.py HOST PORT CHECK... (see Tests/ClientTests/ClientCheck.swift)."""

import asyncio
import os
import sys

import redis
import redis.asyncio

HOST, PORT = sys.argv[1], int(sys.argv[2])
ALL_BYTES = bytes(range(256))
# With MULTISTORE_CA connections use TLS, and the server's certificate has to lead to the one in that file.
TLS = {"ssl": True, "ssl_ca_certs": os.environ["MULTISTORE_CA"]} if "MULTISTORE_CA" in os.environ else {}


def connect(**options):
    return redis.asyncio.Redis(host=HOST, port=PORT, socket_timeout=20, **TLS, **options)


def expect(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"expected {wanted!r}, got {seen!r}")


async def expect_error(kind, text, awaitable):
    try:
        seen = await awaitable
    except kind as error:
        if text not in str(error):
            raise AssertionError(f"expected an error with {text!r}, got {error!r}") from error
    else:
        raise AssertionError(f"expected an error with {text!r}, got {seen!r}")


async def wait_until(condition):
    async with asyncio.timeout(20):
        while not await condition():
            pass


async def check_strings(r):
    expect(await r.set("strings:a", "1"), True)
    expect(await r.get("strings:a"), b"1")
    expect(await r.set("strings:a", "2", nx=True), None)
    expect(await r.set("strings:ttl", "x", ex=1000), True)
    expect(990 < await r.ttl("strings:ttl") <= 1000, True)
    expect(await r.mset({"strings:b": "b", "strings:c": "c"}), True)
    expect(await r.mget("strings:b", "strings:none", "strings:c"), [b"b", None, b"c"])
    # Many commands at once over several connections of the pool: each counts.
    counts = await asyncio.gather(*(r.incr("strings:n") for _ in range(40)))
    expect(sorted(counts), list(range(1, 41)))
    expect(await r.incrby("strings:n", 2), 42)
    expect(await r.incrbyfloat("strings:n", 0.5), 42.5)
    expect(await r.append("strings:b", "cd"), 3)
    expect(await r.getrange("strings:b", 1, 2), b"cd")
    expect(await r.getdel("strings:c"), b"c")
    expect(await r.exists("strings:c"), 0)
    expect(await r.delete("strings:a", "strings:none"), 1)


async def check_hashes(r):
    expect(await r.hset("hashes:a", mapping={"f": "1", "g": "two", "h": "3"}), 3)
    expect(await r.hget("hashes:a", "g"), b"two")
    expect(await r.hincrby("hashes:a", "f", 9), 10)
    expect(await r.hmget("hashes:a", "f", "none", "g"), [b"10", None, b"two"])
    expect(await r.hdel("hashes:a", "h"), 1)
    expect(await r.hgetall("hashes:a"), {b"f": b"10", b"g": b"two"})
    expect(await r.hlen("hashes:a"), 2)
    expect(await r.hexists("hashes:a", "h"), False)


async def check_lists(r):
    expect(await r.rpush("lists:a", "a", "b", "c", "d"), 4)
    expect(await r.lpush("lists:a", "z"), 5)
    expect(await r.lrange("lists:a", 0, -1), [b"z", b"a", b"b", b"c", b"d"])
    expect(await r.lindex("lists:a", 1), b"a")
    expect(await r.lpop("lists:a"), b"z")
    expect(await r.rpop("lists:a"), b"d")
    expect(await r.lrem("lists:a", 0, "b"), 1)
    expect(await r.ltrim("lists:a", 0, 0), True)
    expect(await r.llen("lists:a"), 1)
    expect(await r.lmove("lists:a", "lists:b", "LEFT", "RIGHT"), b"a")


async def check_sets(r):
    expect(await r.sadd("sets:a", "a", "b", "c", "d"), 4)
    expect(await r.sadd("sets:b", "b", "c", "x"), 3)
    expect(await r.smembers("sets:b"), {b"b", b"c", b"x"})
    expect(bool(await r.sismember("sets:a", "a")), True)
    expect(await r.sinter("sets:a", "sets:b"), {b"b", b"c"})
    expect(await r.sunionstore("sets:c", "sets:a", "sets:b"), 5)
    expect(await r.srem("sets:a", "a"), 1)
    expect(await r.spop("sets:a") in {b"b", b"c", b"d"}, True)
    expect(await r.scard("sets:a"), 2)


async def check_sorted_sets(r):
    expect(await r.zadd("zsets:a", {"a": 1, "b": 2.5, "c": 3}), 3)
    expect(await r.zincrby("zsets:a", 10, "a"), 11.0)
    expect(await r.zrange("zsets:a", 0, -1, withscores=True), [(b"b", 2.5), (b"c", 3.0), (b"a", 11.0)])
    expect(await r.zscore("zsets:a", "b"), 2.5)
    expect(await r.zrangebyscore("zsets:a", 2, 4), [b"b", b"c"])
    expect(await r.zrank("zsets:a", "a"), 2)
    expect(await r.zrem("zsets:a", "c"), 1)
    expect(await r.zcard("zsets:a"), 2)


async def check_binary(r):
    key = b"binary:" + ALL_BYTES
    expect(await r.set(key, ALL_BYTES), True)
    expect(await r.get(key), ALL_BYTES)
    expect(await r.set("binary:empty", b""), True)
    expect(await r.get("binary:empty"), b"")
    expect(await r.hset("binary:hash", ALL_BYTES, b"\r\n"), 1)
    expect(await r.hgetall("binary:hash"), {ALL_BYTES: b"\r\n"})
    large = ALL_BYTES * 4096
    expect(await r.set("binary:large", large), True)
    expect(await r.get("binary:large"), large)


async def check_pipeline(r):
    pipeline = r.pipeline(transaction=False)
    for _ in range(100):
        pipeline.incr("pipeline:n")
    pipeline.rpush("pipeline:list", "a", "b")
    pipeline.lrange("pipeline:list", 0, -1)
    pipeline.get("pipeline:none")
    expect(await pipeline.execute(), [*range(1, 101), 2, [b"a", b"b"], None])
    pipeline.incr("pipeline:list")
    pipeline.incr("pipeline:n")
    replies = await pipeline.execute(raise_on_error=False)
    expect(isinstance(replies[0], redis.ResponseError), True)
    expect(replies[1], 101)


async def check_transaction(r):
    transaction = r.pipeline(transaction=True)
    transaction.set("transaction:a", "1")
    transaction.incr("transaction:a")
    transaction.lpush("transaction:list", "x")
    transaction.get("transaction:a")
    expect(await transaction.execute(), [True, 2, 1, b"2"])
    async with r.client() as own:
        expect(await own.execute_command("MULTI"), b"OK")
        expect(await own.execute_command("INCR", "transaction:none"), b"QUEUED")
        expect(await own.execute_command("DISCARD"), b"OK")
        expect(await own.get("transaction:none"), None)


async def check_watch(r):
    await r.set("watch:a", "1")
    async with r.pipeline() as transaction:
        await transaction.watch("watch:a")
        expect(await transaction.get("watch:a"), b"1")
        await r.set("watch:a", "2")
        transaction.multi()
        transaction.set("watch:a", "lost")
        await expect_error(redis.WatchError, "", transaction.execute())
    expect(await r.get("watch:a"), b"2")
    async with r.pipeline() as transaction:
        await transaction.watch("watch:a")
        transaction.multi()
        transaction.append("watch:a", "3")
        expect(await transaction.execute(), [2])
    expect(await r.get("watch:a"), b"23")


async def check_blocking(r):
    await r.rpush("blocking:a", "1", "2")
    expect(await r.blpop(["blocking:none", "blocking:a"], timeout=5), (b"blocking:a", b"1"))
    expect(await r.brpop("blocking:a", timeout=5), (b"blocking:a", b"2"))
    expect(await r.blpop("blocking:none", timeout=0.05), None)
    waiter = asyncio.create_task(r.blpop("blocking:b", timeout=15))

    async def is_blocked():
        return (await r.info("clients"))["blocked_clients"] >= 1

    await wait_until(is_blocked)
    expect(await r.rpush("blocking:b", "x", "y") > 0, True)
    expect(await waiter, (b"blocking:b", b"x"))
    expect(await r.blmove("blocking:b", "blocking:c", 5), b"y")
    expect(await r.lrange("blocking:c", 0, -1), [b"y"])


async def check_scripts(r):
    expect(await r.eval("return {KEYS[1], ARGV[1], 7}", 1, "scripts:k", "v"), [b"scripts:k", b"v", 7])
    script = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    expect(await script(keys=["scripts:n"], args=[5]), 5)
    expect(await script(keys=["scripts:n"], args=[6]), 11)
    sha = await r.script_load("return redis.call('SET', KEYS[1], ARGV[1])")
    expect(await r.evalsha(sha, 1, "scripts:a", "loaded"), b"OK")
    expect(await r.get("scripts:a"), b"loaded")
    await expect_error(redis.exceptions.NoScriptError, "", r.evalsha("f" * 40, 0))


async def check_scan(r):
    pipeline = r.pipeline(transaction=False)
    for number in range(250):
        pipeline.set(f"scan:{number}", number)
    await pipeline.execute()
    wanted = {f"scan:{number}".encode() for number in range(250)}
    expect({key async for key in r.scan_iter(match="scan:*", count=30)}, wanted)
    fields = {f"f{number}": str(number) for number in range(250)}
    await r.hset("scanned:hash", mapping=fields)
    found = {field: value async for field, value in r.hscan_iter("scanned:hash", count=30)}
    expect(found, {k.encode(): v.encode() for k, v in fields.items()})
    await r.sadd("scanned:set", *fields)
    expect({member async for member in r.sscan_iter("scanned:set")}, {name.encode() for name in fields})
    await r.zadd("scanned:zset", {name: float(value) for name, value in fields.items()})
    scores = {member: score async for member, score in r.zscan_iter("scanned:zset")}
    expect(scores, {k.encode(): float(v) for k, v in fields.items()})


async def check_errors(r):
    await r.set("errors:text", "abc")
    await expect_error(redis.ResponseError, "WRONGTYPE", r.lpush("errors:text", "x"))
    await expect_error(redis.ResponseError, "not an integer", r.incr("errors:text"))
    await expect_error(redis.ResponseError, "unknown command", r.execute_command("NO-SUCH-COMMAND", "a"))
    await expect_error(redis.ResponseError, "wrong number of arguments", r.execute_command("GET"))
    expect(await r.get("errors:text"), b"abc")


async def check_session(r):
    async with connect(client_name="checker").client() as own:
        expect(await own.client_getname() in ("checker", b"checker"), True)
        expect(await own.client_setname("renamed"), True)
        expect(await own.client_getname() in ("renamed", b"renamed"), True)
        expect(await own.client_id() > 0, True)
        expect(await own.ping(), True)
        expect(await own.echo(b"\x00echo"), b"\x00echo")


async def check_databases(r):
    other = connect(db=1)
    expect(await r.set("databases:a", "zero"), True)
    expect(await other.get("databases:a"), None)
    expect(await other.set("databases:a", "one"), True)
    expect(await r.get("databases:a"), b"zero")
    async with r.client() as own:
        expect(await own.execute_command("SELECT", 1), True)
        expect(await own.get("databases:a"), b"one")
        await expect_error(redis.ResponseError, "out of range", own.execute_command("SELECT", 4711))
        expect(await own.execute_command("SELECT", 0), True)
        expect(await own.get("databases:a"), b"zero")
    await other.aclose()


async def check_pubsub(r):
    listener = connect().pubsub()
    await listener.subscribe("pubsub:a", b"pubsub:\xff\x00")
    await listener.psubscribe("pubsub:p*")

    async def next_message():
        message = await listener.get_message(timeout=20)
        return message and (message["type"], message["channel"], message["data"])

    expect(await next_message(), ("subscribe", b"pubsub:a", 1))
    expect(await next_message(), ("subscribe", b"pubsub:\xff\x00", 2))
    expect(await next_message(), ("psubscribe", b"pubsub:p*", 3))
    expect(await r.publish("pubsub:a", "one"), 1)
    expect(await r.publish("pubsub:pattern", ALL_BYTES), 1)
    expect(await r.publish(b"pubsub:\xff\x00", "three"), 1)
    expect(await next_message(), ("message", b"pubsub:a", b"one"))
    expect(await next_message(), ("pmessage", b"pubsub:pattern", ALL_BYTES))
    expect(await next_message(), ("message", b"pubsub:\xff\x00", b"three"))
    await listener.unsubscribe("pubsub:a")
    expect(await next_message(), ("unsubscribe", b"pubsub:a", 2))
    expect(await r.publish("pubsub:a", "nobody"), 0)
    await listener.aclose()


async def main():
    client = connect()
    expect(str((await client.client_info())["resp"]), "3")
    for name in sys.argv[3:]:
        await globals()[f"check_{name}"](client)
        print(f"ok {name}", flush=True)
    await client.aclose()
    print("done", flush=True)


asyncio.run(main())
