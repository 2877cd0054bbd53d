// The client checks in node-redis: check.js HOST PORT CHECK... (see Tests/ClientTests/Check.swift).
"use strict";

const assert = require("node:assert");
const redis = require("redis");

const [host, port, ...names] = process.argv.slice(2);
const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const asBuffers = redis.commandOptions({ returnBuffers: true });

async function connect(options = {}) {
  const client = redis.createClient({ socket: { host, port: Number(port), connectTimeout: 20000 }, ...options });
  // Without a listener an error would end the process without its reason.
  client.on("error", (error) => fail(error));
  await client.connect();
  return client;
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

// A reply as plain data: replies that are maps have no prototype in node-redis.
const plain = (value) =>
  value !== null && typeof value === "object" && !Buffer.isBuffer(value) && !Array.isArray(value)
    ? { ...value }
    : Array.isArray(value)
      ? value.map(plain)
      : value;

const expect = (seen, wanted) => assert.deepStrictEqual(plain(seen), wanted);

async function expectError(text, promise) {
  await assert.rejects(promise, (error) => {
    assert.ok(error.message.includes(text), `expected an error with ${text}, got ${error.message}`);
    return true;
  });
}

async function waitUntil(condition) {
  const deadline = Date.now() + 20000;
  while (!(await condition())) assert.ok(Date.now() < deadline, "waited in vain");
}

async function gather(iterable) {
  const all = [];
  for await (const element of iterable) all.push(element);
  return all;
}

const checks = {
  async strings(r) {
    expect(await r.set("strings:a", "1"), "OK");
    expect(await r.get("strings:a"), "1");
    expect(await r.set("strings:a", "2", { NX: true }), null);
    expect(await r.set("strings:ttl", "x", { EX: 1000 }), "OK");
    const ttl = await r.ttl("strings:ttl");
    assert.ok(ttl > 990 && ttl <= 1000);
    expect(await r.mSet({ "strings:b": "b", "strings:c": "c" }), "OK");
    expect(await r.mGet(["strings:b", "strings:none", "strings:c"]), ["b", null, "c"]);
    expect(await r.incr("strings:n"), 1);
    expect(await r.incrBy("strings:n", 41), 42);
    expect(await r.incrByFloat("strings:n", 0.5), "42.5");
    expect(await r.append("strings:b", "cd"), 3);
    expect(await r.getRange("strings:b", 1, 2), "cd");
    expect(await r.getDel("strings:c"), "c");
    expect(await r.exists("strings:c"), 0);
    expect(await r.del(["strings:a", "strings:none"]), 1);
  },
  async hashes(r) {
    expect(await r.hSet("hashes:a", { f: "1", g: "two", h: "3" }), 3);
    expect(await r.hGet("hashes:a", "g"), "two");
    expect(await r.hIncrBy("hashes:a", "f", 9), 10);
    expect(await r.hmGet("hashes:a", ["f", "none", "g"]), ["10", null, "two"]);
    expect(await r.hDel("hashes:a", "h"), 1);
    expect(await r.hGetAll("hashes:a"), { f: "10", g: "two" });
    expect(await r.hLen("hashes:a"), 2);
    expect(await r.hExists("hashes:a", "h"), false);
  },
  async lists(r) {
    expect(await r.rPush("lists:a", ["a", "b", "c", "d"]), 4);
    expect(await r.lPush("lists:a", "z"), 5);
    expect(await r.lRange("lists:a", 0, -1), ["z", "a", "b", "c", "d"]);
    expect(await r.lIndex("lists:a", 1), "a");
    expect(await r.lPop("lists:a"), "z");
    expect(await r.rPop("lists:a"), "d");
    expect(await r.lRem("lists:a", 0, "b"), 1);
    expect(await r.lTrim("lists:a", 0, 0), "OK");
    expect(await r.lLen("lists:a"), 1);
    expect(await r.lMove("lists:a", "lists:b", "LEFT", "RIGHT"), "a");
  },
  async sets(r) {
    expect(await r.sAdd("sets:a", ["a", "b", "c", "d"]), 4);
    expect(await r.sAdd("sets:b", ["b", "c", "x"]), 3);
    expect((await r.sMembers("sets:b")).sort(), ["b", "c", "x"]);
    expect(await r.sIsMember("sets:a", "a"), true);
    expect((await r.sInter(["sets:a", "sets:b"])).sort(), ["b", "c"]);
    expect(await r.sUnionStore("sets:c", ["sets:a", "sets:b"]), 5);
    expect(await r.sRem("sets:a", "a"), 1);
    assert.ok(["b", "c", "d"].includes(await r.sPop("sets:a")));
    expect(await r.sCard("sets:a"), 2);
  },
  async sorted_sets(r) {
    const members = [
      { score: 1, value: "a" },
      { score: 2.5, value: "b" },
      { score: 3, value: "c" },
    ];
    expect(await r.zAdd("zsets:a", members), 3);
    expect(await r.zIncrBy("zsets:a", 10, "a"), 11);
    expect(await r.zRangeWithScores("zsets:a", 0, -1), [members[1], members[2], { score: 11, value: "a" }].map(plain));
    expect(await r.zScore("zsets:a", "b"), 2.5);
    expect(await r.zRangeByScore("zsets:a", 2, 4), ["b", "c"]);
    expect(await r.zRank("zsets:a", "a"), 2);
    expect(await r.zRem("zsets:a", "c"), 1);
    expect(await r.zCard("zsets:a"), 2);
  },
  async binary(r) {
    const key = Buffer.concat([Buffer.from("binary:"), allBytes]);
    expect(await r.set(key, allBytes), "OK");
    expect(await r.get(asBuffers, key), allBytes);
    expect(await r.set("binary:empty", ""), "OK");
    expect(await r.get("binary:empty"), "");
    expect(await r.hSet("binary:hash", allBytes, "\r\n"), 1);
    expect(await r.sendCommand(["HGETALL", "binary:hash"], asBuffers), [allBytes, Buffer.from("\r\n")]);
    const large = Buffer.alloc(256 * 4096, allBytes);
    expect(await r.set("binary:large", large), "OK");
    assert.ok(large.equals(await r.get(asBuffers, "binary:large")));
  },
  async pipeline(r) {
    // What is asked for in one turn of node's loop is sent as one pipeline.
    const replies = Promise.all([
      ...Array.from({ length: 100 }, () => r.incr("pipeline:n")),
      r.rPush("pipeline:list", ["a", "b"]),
      r.lRange("pipeline:list", 0, -1),
      r.get("pipeline:none"),
    ]);
    expect(await replies, [...Array.from({ length: 100 }, (_, i) => i + 1), 2, ["a", "b"], null]);
    const [failed, counted] = await Promise.allSettled([r.incr("pipeline:list"), r.incr("pipeline:n")]);
    expect(failed.status, "rejected");
    expect(counted.value, 101);
  },
  async transaction(r) {
    const transaction = r.multi().set("transaction:a", "1").incr("transaction:a");
    expect(await transaction.lPush("transaction:list", "x").get("transaction:a").exec(), ["OK", 2, 1, "2"]);
    const own = await connect();
    expect(await own.sendCommand(["MULTI"]), "OK");
    expect(await own.sendCommand(["INCR", "transaction:none"]), "QUEUED");
    expect(await own.sendCommand(["DISCARD"]), "OK");
    expect(await own.get("transaction:none"), null);
    await own.quit();
  },
  async watch(r) {
    const own = await connect();
    await r.set("watch:a", "1");
    await own.watch("watch:a");
    expect(await own.get("watch:a"), "1");
    await r.set("watch:a", "2");
    await assert.rejects(own.multi().set("watch:a", "lost").exec(), redis.WatchError);
    expect(await r.get("watch:a"), "2");
    await own.watch("watch:a");
    expect(await own.multi().append("watch:a", "3").exec(), [2]);
    expect(await r.get("watch:a"), "23");
    await own.quit();
  },
  async blocking(r) {
    const own = await connect();
    await r.rPush("blocking:a", ["1", "2"]);
    expect(await own.blPop(["blocking:none", "blocking:a"], 5), { key: "blocking:a", element: "1" });
    expect(await own.brPop("blocking:a", 5), { key: "blocking:a", element: "2" });
    expect(await own.blPop("blocking:none", 0.05), null);
    const popped = own.blPop("blocking:b", 15);
    await waitUntil(async () => Number((await r.info("clients")).match(/blocked_clients:(\d+)/)[1]) >= 1);
    assert.ok((await r.rPush("blocking:b", ["x", "y"])) > 0);
    expect(await popped, { key: "blocking:b", element: "x" });
    expect(await own.blMove("blocking:b", "blocking:c", "LEFT", "RIGHT", 5), "y");
    expect(await r.lRange("blocking:c", 0, -1), ["y"]);
    await own.quit();
  },
  async scripts(r) {
    const call = { keys: ["scripts:k"], arguments: ["v"] };
    expect(await r.eval("return {KEYS[1], ARGV[1], 7}", call), ["scripts:k", "v", 7]);
    const increment = await r.scriptLoad("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    expect(await r.evalSha(increment, { keys: ["scripts:n"], arguments: ["5"] }), 5);
    expect(await r.evalSha(increment, { keys: ["scripts:n"], arguments: ["6"] }), 11);
    const store = "return redis.call('SET', KEYS[1], ARGV[1])";
    expect(await r.eval(store, { keys: ["scripts:a"], arguments: ["loaded"] }), "OK");
    expect(await r.get("scripts:a"), "loaded");
    await expectError("NOSCRIPT", r.evalSha("f".repeat(40)));
  },
  async scan(r) {
    const names = Array.from({ length: 250 }, (_, i) => `scan:${i}`);
    await Promise.all(names.map((name, i) => r.set(name, String(i))));
    const found = new Set(await gather(r.scanIterator({ MATCH: "scan:*", COUNT: 30 })));
    expect([...found].sort(), [...names].sort());
    const fields = Object.fromEntries(names.map((_, i) => [`f${i}`, String(i)]));
    await r.hSet("scanned:hash", fields);
    const pairs = await gather(r.hScanIterator("scanned:hash", { COUNT: 30 }));
    expect(Object.fromEntries(pairs.map(({ field, value }) => [field, value])), fields);
    await r.sAdd("scanned:set", Object.keys(fields));
    expect([...new Set(await gather(r.sScanIterator("scanned:set")))].sort(), Object.keys(fields).sort());
    await r.zAdd("scanned:zset", Object.entries(fields).map(([value, score]) => ({ score: Number(score), value })));
    const scores = await gather(r.zScanIterator("scanned:zset"));
    expect(Object.fromEntries(scores.map(({ score, value }) => [value, String(score)])), fields);
  },
  async errors(r) {
    await r.set("errors:text", "abc");
    await expectError("WRONGTYPE", r.lPush("errors:text", "x"));
    await expectError("not an integer", r.incr("errors:text"));
    await expectError("unknown command", r.sendCommand(["NO-SUCH-COMMAND", "a"]));
    await expectError("wrong number of arguments", r.sendCommand(["GET"]));
    expect(await r.get("errors:text"), "abc");
  },
  async session() {
    const own = await connect({ name: "checker" });
    expect(await own.clientGetName(), "checker");
    expect(await own.sendCommand(["CLIENT", "SETNAME", "renamed"]), "OK");
    expect(await own.clientGetName(), "renamed");
    assert.ok((await own.clientId()) > 0);
    expect(await own.ping(), "PONG");
    expect(await own.echo("\0echo"), "\0echo");
    await own.quit();
  },
  async databases(r) {
    const other = await connect({ database: 1 });
    expect(await r.set("databases:a", "zero"), "OK");
    expect(await other.get("databases:a"), null);
    expect(await other.set("databases:a", "one"), "OK");
    expect(await r.get("databases:a"), "zero");
    const own = await connect();
    await own.select(1);
    expect(await own.get("databases:a"), "one");
    await expectError("out of range", own.sendCommand(["SELECT", "4711"]));
    await own.select(0);
    expect(await own.get("databases:a"), "zero");
    await own.quit();
    await other.quit();
  },
  async pubsub(r) {
    const listener = await connect();
    const seen = [];
    const gatherMessage = (message, channel) => seen.push([channel, message]);
    const binaryChannel = Buffer.from([0xff, 0, 0x0d, 0x0a]);
    await listener.subscribe("pubsub:a", gatherMessage);
    await listener.subscribe(binaryChannel, gatherMessage, true);
    await listener.pSubscribe("pubsub:p*", gatherMessage, true);
    expect(await r.publish("pubsub:a", "one"), 1);
    expect(await r.publish("pubsub:pattern", allBytes), 1);
    expect(await r.publish(binaryChannel, "three"), 1);
    await waitUntil(() => new Promise((resolve) => setImmediate(() => resolve(seen.length >= 3))));
    expect(seen[0], ["pubsub:a", "one"]);
    expect(seen[1], [Buffer.from("pubsub:pattern"), allBytes]);
    expect(seen[2], [binaryChannel, Buffer.from("three")]);
    await listener.unsubscribe("pubsub:a");
    expect(await r.publish("pubsub:a", "nobody"), 0);
    await listener.unsubscribe();
    await listener.pUnsubscribe();
    expect(await listener.get("pubsub:none"), null);
    await listener.quit();
  },
};

async function main() {
  const client = await connect();
  for (const name of names) {
    await checks[name](client);
    console.log(`ok ${name}`);
  }
  await client.quit();
  console.log("done");
}

main().catch(fail);
