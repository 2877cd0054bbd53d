"""The client checks in valkey-glide: check.py HOST PORT CHECK... (see Tests/ClientTests/ClientCheck.swift).

It speaks RESP3, and subscribes over the connection that it sends commands on.
"""

import asyncio
import sys

from glide import (
    Batch,
    ConditionalChange,
    ExpirySet,
    ExpiryType,
    GlideClient,
    GlideClientConfiguration,
    InfoSection,
    ListDirection,
    NodeAddress,
    RangeByIndex,
    RangeByScore,
    RequestError,
    ScoreBoundary,
    Script,
)

HOST, PORT = sys.argv[1], int(sys.argv[2])
ALL_BYTES = bytes(range(256))
Configuration = GlideClientConfiguration


async def connect(**options):
    return await GlideClient.create(
        Configuration(addresses=[NodeAddress(HOST, PORT)], request_timeout=20_000, **options)
    )


def expect(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"expected {wanted!r}, got {seen!r}")


async def expect_error(text, awaitable):
    try:
        seen = await awaitable
    except RequestError as error:
        if text not in str(error):
            raise AssertionError(f"expected an error with {text!r}, got {error!r}") from error
    else:
        raise AssertionError(f"expected an error with {text!r}, got {seen!r}")


async def check_strings(r):
    expect(await r.set("strings:a", "1"), "OK")
    expect(await r.get("strings:a"), b"1")
    expect(await r.set("strings:a", "2", conditional_set=ConditionalChange.ONLY_IF_DOES_NOT_EXIST), None)
    expect(await r.set("strings:ttl", "x", expiry=ExpirySet(ExpiryType.SEC, 1000)), "OK")
    expect(990 < await r.ttl("strings:ttl") <= 1000, True)
    expect(await r.mset({"strings:b": "b", "strings:c": "c"}), "OK")
    expect(await r.mget(["strings:b", "strings:none", "strings:c"]), [b"b", None, b"c"])
    # Many commands at once over the one connection.
    expect(sorted(await asyncio.gather(*(r.incr("strings:n") for _ in range(40)))), list(range(1, 41)))
    expect(await r.incrby("strings:n", 2), 42)
    expect(await r.incrbyfloat("strings:n", 0.5), 42.5)
    expect(await r.append("strings:b", "cd"), 3)
    expect(await r.getrange("strings:b", 1, 2), b"cd")
    expect(await r.getdel("strings:c"), b"c")
    expect(await r.exists(["strings:c"]), 0)
    expect(await r.delete(["strings:a", "strings:none"]), 1)


async def check_hashes(r):
    expect(await r.hset("hashes:a", {"f": "1", "g": "two", "h": "3"}), 3)
    expect(await r.hget("hashes:a", "g"), b"two")
    expect(await r.hincrby("hashes:a", "f", 9), 10)
    expect(await r.hmget("hashes:a", ["f", "none", "g"]), [b"10", None, b"two"])
    expect(await r.hdel("hashes:a", ["h"]), 1)
    expect(await r.hgetall("hashes:a"), {b"f": b"10", b"g": b"two"})
    expect(await r.hrandfield_withvalues("hashes:a", 2) in (
        [[b"f", b"10"], [b"g", b"two"]], [[b"g", b"two"], [b"f", b"10"]],
    ), True)
    expect(await r.hlen("hashes:a"), 2)
    expect(await r.hexists("hashes:a", "h"), False)


async def check_lists(r):
    expect(await r.rpush("lists:a", ["a", "b", "c", "d"]), 4)
    expect(await r.lpush("lists:a", ["z"]), 5)
    expect(await r.lrange("lists:a", 0, -1), [b"z", b"a", b"b", b"c", b"d"])
    expect(await r.lindex("lists:a", 1), b"a")
    expect(await r.lpop("lists:a"), b"z")
    expect(await r.rpop("lists:a"), b"d")
    expect(await r.lrem("lists:a", 0, "b"), 1)
    expect(await r.ltrim("lists:a", 0, 0), "OK")
    expect(await r.llen("lists:a"), 1)
    expect(await r.lmove("lists:a", "lists:b", ListDirection.LEFT, ListDirection.RIGHT), b"a")


async def check_sets(r):
    expect(await r.sadd("sets:a", ["a", "b", "c", "d"]), 4)
    expect(await r.sadd("sets:b", ["b", "c", "x"]), 3)
    expect(await r.smembers("sets:b"), {b"b", b"c", b"x"})
    expect(await r.sismember("sets:a", "a"), True)
    expect(await r.sinter(["sets:a", "sets:b"]), {b"b", b"c"})
    expect(await r.sunionstore("sets:c", ["sets:a", "sets:b"]), 5)
    expect(await r.srem("sets:a", ["a"]), 1)
    expect(await r.spop("sets:a") in {b"b", b"c", b"d"}, True)
    expect(await r.scard("sets:a"), 2)


async def check_sorted_sets(r):
    expect(await r.zadd("zsets:a", {"a": 1, "b": 2.5, "c": 3}), 3)
    expect(await r.zincrby("zsets:a", 10, "a"), 11.0)
    expect(await r.zrange_withscores("zsets:a", RangeByIndex(0, -1)), {b"b": 2.5, b"c": 3.0, b"a": 11.0})
    expect(await r.zscore("zsets:a", "b"), 2.5)
    expect(await r.zmscore("zsets:a", ["a", "none"]), [11.0, None])
    expect(await r.zrange("zsets:a", RangeByScore(ScoreBoundary(2), ScoreBoundary(4))), [b"b", b"c"])
    expect(await r.zrank("zsets:a", "a"), 2)
    expect(await r.zrem("zsets:a", ["c"]), 1)
    expect(await r.zcard("zsets:a"), 2)


async def check_binary(r):
    key = b"binary:" + ALL_BYTES
    expect(await r.set(key, ALL_BYTES), "OK")
    expect(await r.get(key), ALL_BYTES)
    expect(await r.set("binary:empty", b""), "OK")
    expect(await r.get("binary:empty"), b"")
    expect(await r.hset("binary:hash", {ALL_BYTES: b"\r\n"}), 1)
    expect(await r.hgetall("binary:hash"), {ALL_BYTES: b"\r\n"})
    large = ALL_BYTES * 4096
    expect(await r.set("binary:large", large), "OK")
    expect(await r.get("binary:large"), large)


async def check_pipeline(r):
    pipeline = Batch(is_atomic=False)
    for _ in range(100):
        pipeline.incr("pipeline:n")
    pipeline.rpush("pipeline:list", ["a", "b"])
    pipeline.lrange("pipeline:list", 0, -1)
    pipeline.get("pipeline:none")
    expect(await r.exec(pipeline, raise_on_error=True), [*range(1, 101), 2, [b"a", b"b"], None])
    pipeline = Batch(is_atomic=False)
    pipeline.incr("pipeline:list")
    pipeline.incr("pipeline:n")
    replies = await r.exec(pipeline, raise_on_error=False)
    expect(isinstance(replies[0], RequestError), True)
    expect(replies[1], 101)


async def check_transaction(r):
    transaction = Batch(is_atomic=True)
    transaction.set("transaction:a", "1")
    transaction.incr("transaction:a")
    transaction.lpush("transaction:list", ["x"])
    transaction.get("transaction:a")
    expect(await r.exec(transaction, raise_on_error=True), ["OK", 2, 1, b"2"])
    own = await connect()
    expect(await own.custom_command(["MULTI"]), "OK")
    expect(await own.custom_command(["INCR", "transaction:none"]), b"QUEUED")
    expect(await own.custom_command(["DISCARD"]), "OK")
    expect(await own.get("transaction:none"), None)
    await own.close()


async def check_watch(r):
    own = await connect()
    await own.set("watch:a", "1")
    await own.watch(["watch:a"])
    expect(await own.get("watch:a"), b"1")
    await r.set("watch:a", "2")
    transaction = Batch(is_atomic=True)
    transaction.set("watch:a", "lost")
    expect(await own.exec(transaction, raise_on_error=True), None)
    expect(await r.get("watch:a"), b"2")
    await own.watch(["watch:a"])
    transaction = Batch(is_atomic=True)
    transaction.append("watch:a", "3")
    expect(await own.exec(transaction, raise_on_error=True), [2])
    expect(await r.get("watch:a"), b"23")
    await own.close()


async def check_blocking(r):
    await r.rpush("blocking:a", ["1", "2"])
    expect(await r.blpop(["blocking:none", "blocking:a"], 5), [b"blocking:a", b"1"])
    expect(await r.brpop(["blocking:a"], 5), [b"blocking:a", b"2"])
    expect(await r.blpop(["blocking:none"], 0.05), None)
    own = await connect()
    waiter = asyncio.create_task(own.blpop(["blocking:b"], 15))
    async with asyncio.timeout(20):
        while b"blocked_clients:0" in await r.info([InfoSection.CLIENTS]):
            pass
    expect(await r.rpush("blocking:b", ["x", "y"]) > 0, True)
    expect(await waiter, [b"blocking:b", b"x"])
    expect(await r.blmove("blocking:b", "blocking:c", ListDirection.LEFT, ListDirection.RIGHT, 5), b"y")
    expect(await r.lrange("blocking:c", 0, -1), [b"y"])
    await own.close()


async def check_scripts(r):
    script = Script("return {KEYS[1], ARGV[1], 7, false}")
    expect(await r.invoke_script(script, keys=["scripts:k"], args=["v"]), [b"scripts:k", b"v", 7, None])
    script = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    expect(await r.invoke_script(script, keys=["scripts:n"], args=["5"]), 5)
    expect(await r.invoke_script(script, keys=["scripts:n"], args=["6"]), 11)
    sha = await r.custom_command(["SCRIPT", "LOAD", "return redis.call('SET', KEYS[1], ARGV[1])"])
    expect(await r.custom_command(["EVALSHA", sha, "1", "scripts:a", "loaded"]), "OK")
    expect(await r.get("scripts:a"), b"loaded")
    await expect_error("NoScript", r.custom_command(["EVALSHA", "f" * 40, "0"]))


async def scan(page, cursor=b"0"):
    """All that the pages have, of which `page` returns the one for a cursor."""
    found = []
    while True:
        cursor, elements = await page(cursor)
        found += elements
        if cursor == b"0":
            return found


async def check_scan(r):
    pipeline = Batch(is_atomic=False)
    for number in range(250):
        pipeline.set(f"scan:{number}", str(number))
    await r.exec(pipeline, raise_on_error=True)
    wanted = {f"scan:{number}".encode() for number in range(250)}
    expect(set(await scan(lambda cursor: r.scan(cursor, match="scan:*", count=30))), wanted)
    fields = {f"f{number}": str(number) for number in range(250)}
    names = {name.encode() for name in fields}
    await r.hset("scanned:hash", fields)
    found = await scan(lambda cursor: r.hscan("scanned:hash", cursor, count=30))
    expect(dict(zip(found[::2], found[1::2])), {k.encode(): v.encode() for k, v in fields.items()})
    await r.sadd("scanned:set", list(fields))
    expect(set(await scan(lambda cursor: r.sscan("scanned:set", cursor))), names)
    await r.zadd("scanned:zset", {name: float(value) for name, value in fields.items()})
    found = await scan(lambda cursor: r.zscan("scanned:zset", cursor))
    expect({k: float(v) for k, v in zip(found[::2], found[1::2])}, {k.encode(): float(v) for k, v in fields.items()})


async def check_errors(r):
    await r.set("errors:text", "abc")
    await expect_error("WRONGTYPE", r.lpush("errors:text", ["x"]))
    await expect_error("not an integer", r.incr("errors:text"))
    await expect_error("unknown command", r.custom_command(["NO-SUCH-COMMAND", "a"]))
    await expect_error("wrong number of arguments", r.custom_command(["GET"]))
    expect(await r.get("errors:text"), b"abc")


async def check_session(r):
    own = await connect(client_name="checker")
    expect(await own.client_getname(), b"checker")
    info = await own.custom_command(["CLIENT", "INFO"])
    expect(b" resp=3" in info and b" name=checker " in info, True)
    expect(await own.custom_command(["CLIENT", "SETNAME", "renamed"]), "OK")
    expect(await own.client_getname(), b"renamed")
    expect(await own.client_id() > 0, True)
    expect(await own.ping(), b"PONG")
    expect(await own.echo(b"\x00echo"), b"\x00echo")
    await own.close()


async def check_databases(r):
    other = await connect(database_id=1)
    expect(await r.set("databases:a", "zero"), "OK")
    expect(await other.get("databases:a"), None)
    expect(await other.set("databases:a", "one"), "OK")
    expect(await r.get("databases:a"), b"zero")
    own = await connect()
    expect(await own.select(1), "OK")
    expect(await own.get("databases:a"), b"one")
    await expect_error("out of range", own.select(4711))
    expect(await own.select(0), "OK")
    expect(await own.get("databases:a"), b"zero")
    await own.close()
    await other.close()


async def check_pubsub(r):
    modes = Configuration.PubSubChannelModes
    channels = {modes.Exact: {"pubsub:a", "pubsub:b"}, modes.Pattern: {"pubsub:p*"}}
    listener = await connect(pubsub_subscriptions=Configuration.PubSubSubscriptions(channels, None, None))

    async def published(message, channel):
        # It subscribes in the background.
        async with asyncio.timeout(20):
            while await r.publish(message, channel) != 1:
                pass

    async def next_message():
        async with asyncio.timeout(20):
            message = await listener.get_pubsub_message()
        return message.channel, message.pattern, message.message

    await published("one", "pubsub:a")
    expect(await next_message(), (b"pubsub:a", None, b"one"))
    await published(ALL_BYTES, "pubsub:pattern")
    expect(await next_message(), (b"pubsub:pattern", b"pubsub:p*", ALL_BYTES))
    # The connection that listens sends commands as well.
    expect(await listener.set("pubsub:seen", "1"), "OK")
    expect(await listener.mget(["pubsub:seen", "pubsub:none"]), [b"1", None])
    await published("three", "pubsub:b")
    expect(await next_message(), (b"pubsub:b", None, b"three"))
    expect(await r.publish("nobody", "pubsub:c"), 0)
    await listener.close()


async def main():
    client = await connect()
    for name in sys.argv[3:]:
        await globals()[f"check_{name}"](client)
        print(f"ok {name}", flush=True)
    await client.close()
    print("done", flush=True)


asyncio.run(main())
