"""Some of the client checks in coredis: check.py HOST PORT CHECK... (see Tests/ClientTests/ClientCheck.swift).

It speaks RESP3 alone.
"""

import asyncio
import sys

import coredis
from coredis.exceptions import ResponseError, WrongTypeError

HOST, PORT = sys.argv[1], int(sys.argv[2])


def expect(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"expected {wanted!r}, got {seen!r}")


async def expect_error(kind, awaitable):
    try:
        seen = await awaitable
    except kind:
        return
    raise AssertionError(f"expected an error, got {seen!r}")


async def check_strings(r):
    expect(await r.set("strings:a", "1"), True)
    expect(await r.get("strings:a"), b"1")
    expect(await r.mset({"strings:b": "b", "strings:c": "c"}), True)
    expect(await r.mget(["strings:b", "strings:none", "strings:c"]), (b"b", None, b"c"))
    expect(sorted(await asyncio.gather(*(r.incr("strings:n") for _ in range(40)))), list(range(1, 41)))
    expect(await r.incrbyfloat("strings:n", 0.5), 40.5)
    expect(await r.delete(["strings:a", "strings:none"]), 1)


async def check_hashes(r):
    expect(await r.hset("hashes:a", {"f": "1", "g": "two", "h": "3"}), 3)
    expect(await r.hmget("hashes:a", ["f", "none", "g"]), (b"1", None, b"two"))
    expect(await r.hgetall("hashes:a"), {b"f": b"1", b"g": b"two", b"h": b"3"})
    expect(await r.hgetall("hashes:none"), {})


async def check_sets(r):
    expect(await r.sadd("sets:a", ["a", "b", "c"]), 3)
    expect(await r.smembers("sets:a"), {b"a", b"b", b"c"})
    expect(await r.sinter(["sets:a", "sets:none"]), set())


async def check_sorted_sets(r):
    expect(await r.zadd("zsets:a", {"a": 1, "b": 2.5}), 2)
    expect([tuple(pair) for pair in await r.zrange("zsets:a", 0, -1, withscores=True)], [(b"a", 1.0), (b"b", 2.5)])
    expect(await r.zscore("zsets:a", "b"), 2.5)
    expect(await r.zscore("zsets:a", "none"), None)


async def check_transaction(r):
    async with r.pipeline(transaction=True) as transaction:
        results = [transaction.set("transaction:a", "1"), transaction.incr("transaction:a")]
        results += [transaction.get("transaction:none"), transaction.hgetall("transaction:none")]
    expect([await result for result in results], [True, 2, None, {}])


async def check_scripts(r):
    expect(await r.eval("return {KEYS[1], ARGV[1], 7, false}", ["scripts:k"], ["v"]), [b"scripts:k", b"v", 7, None])


async def check_errors(r):
    await r.set("errors:text", "abc")
    await expect_error(WrongTypeError, r.lpush("errors:text", ["x"]))
    await expect_error(ResponseError, r.incr("errors:text"))
    expect(await r.get("errors:text"), b"abc")


async def check_pubsub(r):
    async with r.pubsub(channels=["pubsub:a"], ignore_subscribe_messages=True) as listener:
        async with asyncio.timeout(20):
            while await r.publish("pubsub:a", "one") != 1:
                pass
            while (message := await listener.get_message()) is None:
                pass
    expect((message["channel"], message["data"]), (b"pubsub:a", b"one"))


async def main():
    async with coredis.Redis(host=HOST, port=PORT) as client:
        for name in sys.argv[3:]:
            await globals()[f"check_{name}"](client)
            print(f"ok {name}", flush=True)
    print("done", flush=True)


asyncio.run(main())
