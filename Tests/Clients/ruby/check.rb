# The client checks in redis-rb: check.rb HOST PORT CHECK... (see Tests/ClientTests/Check.swift).

require "redis"

HOST, PORT, *CHECKS = ARGV
ALL_BYTES = (0..255).to_a.pack("C*").freeze

def connect(**options)
  Redis.new(host: HOST, port: PORT.to_i, timeout: 20, **options)
end

def expect(seen, wanted)
  raise "expected #{wanted.inspect}, got #{seen.inspect}" unless seen == wanted
end

def expect_error(text)
  seen = yield
rescue Redis::CommandError => error
  raise "expected an error with #{text}, got #{error.message}" unless error.message.include?(text)
else
  raise "expected an error with #{text}, got #{seen.inspect}"
end

def wait_until
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 20
  until yield
    raise "waited in vain" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
  end
end

def check_strings(r)
  expect(r.set("strings:a", "1"), "OK")
  expect(r.get("strings:a"), "1")
  expect(r.set("strings:a", "2", nx: true), false)
  expect(r.set("strings:ttl", "x", ex: 1000), "OK")
  expect(r.ttl("strings:ttl").between?(991, 1000), true)
  expect(r.mset("strings:b", "b", "strings:c", "c"), "OK")
  expect(r.mget("strings:b", "strings:none", "strings:c"), ["b", nil, "c"])
  expect(r.incr("strings:n"), 1)
  expect(r.incrby("strings:n", 41), 42)
  expect(r.incrbyfloat("strings:n", 0.5), 42.5)
  expect(r.append("strings:b", "cd"), 3)
  expect(r.getrange("strings:b", 1, 2), "cd")
  expect(r.getdel("strings:c"), "c")
  expect(r.exists("strings:c"), 0)
  expect(r.del("strings:a", "strings:none"), 1)
end

def check_hashes(r)
  expect(r.hset("hashes:a", "f" => "1", "g" => "two", "h" => "3"), 3)
  expect(r.hget("hashes:a", "g"), "two")
  expect(r.hincrby("hashes:a", "f", 9), 10)
  expect(r.hmget("hashes:a", "f", "none", "g"), ["10", nil, "two"])
  expect(r.hdel("hashes:a", "h"), 1)
  expect(r.hgetall("hashes:a"), { "f" => "10", "g" => "two" })
  expect(r.hlen("hashes:a"), 2)
  expect(r.hexists("hashes:a", "h"), false)
end

def check_lists(r)
  expect(r.rpush("lists:a", %w[a b c d]), 4)
  expect(r.lpush("lists:a", "z"), 5)
  expect(r.lrange("lists:a", 0, -1), %w[z a b c d])
  expect(r.lindex("lists:a", 1), "a")
  expect(r.lpop("lists:a"), "z")
  expect(r.rpop("lists:a"), "d")
  expect(r.lrem("lists:a", 0, "b"), 1)
  expect(r.ltrim("lists:a", 0, 0), "OK")
  expect(r.llen("lists:a"), 1)
  expect(r.lmove("lists:a", "lists:b", "LEFT", "RIGHT"), "a")
end

def check_sets(r)
  expect(r.call("SADD", "sets:a", "a", "b", "c", "d"), 4)
  expect(r.call("SADD", "sets:b", "b", "c", "x"), 3)
  expect(r.smembers("sets:b").sort, %w[b c x])
  expect(r.sismember("sets:a", "a"), true)
  expect(r.sinter("sets:a", "sets:b").sort, %w[b c])
  expect(r.sunionstore("sets:c", "sets:a", "sets:b"), 5)
  expect(r.srem("sets:a", ["a"]), 1)
  expect(%w[b c d].include?(r.spop("sets:a")), true)
  expect(r.scard("sets:a"), 2)
end

def check_sorted_sets(r)
  expect(r.zadd("zsets:a", [[1, "a"], [2.5, "b"], [3, "c"]]), 3)
  expect(r.zincrby("zsets:a", 10, "a"), 11.0)
  expect(r.zrange("zsets:a", 0, -1, with_scores: true), [["b", 2.5], ["c", 3.0], ["a", 11.0]])
  expect(r.zscore("zsets:a", "b"), 2.5)
  expect(r.zrangebyscore("zsets:a", 2, 4), %w[b c])
  expect(r.zrank("zsets:a", "a"), 2)
  expect(r.zrem("zsets:a", "c"), true)
  expect(r.zcard("zsets:a"), 2)
end

def check_binary(r)
  key = "binary:".b + ALL_BYTES
  expect(r.set(key, ALL_BYTES), "OK")
  expect(r.get(key).b, ALL_BYTES)
  expect(r.set("binary:empty", ""), "OK")
  expect(r.get("binary:empty"), "")
  expect(r.hset("binary:hash", ALL_BYTES, "\r\n"), 1)
  expect(r.hgetall("binary:hash").map { |field, value| [field.b, value] }, [[ALL_BYTES, "\r\n"]])
  large = ALL_BYTES * 4096
  expect(r.set("binary:large", large), "OK")
  expect(r.get("binary:large").b == large, true)
end

def check_pipeline(r)
  replies = r.pipelined do |pipeline|
    100.times { pipeline.incr("pipeline:n") }
    pipeline.rpush("pipeline:list", %w[a b])
    pipeline.lrange("pipeline:list", 0, -1)
    pipeline.get("pipeline:none")
  end
  expect(replies, [*1..100, 2, %w[a b], nil])
  # redis-rb raises the first error of a pipeline, after all of its commands have been answered.
  expect_error("WRONGTYPE") do
    r.pipelined do |pipeline|
      pipeline.incr("pipeline:list")
      pipeline.incr("pipeline:n")
    end
  end
  expect(r.get("pipeline:n"), "101")
end

def check_transaction(r)
  replies = r.multi do |transaction|
    transaction.set("transaction:a", "1")
    transaction.incr("transaction:a")
    transaction.lpush("transaction:list", "x")
    transaction.get("transaction:a")
  end
  expect(replies, ["OK", 2, 1, "2"])
  expect(r.call("MULTI"), "OK")
  expect(r.call("INCR", "transaction:none"), "QUEUED")
  expect(r.call("DISCARD"), "OK")
  expect(r.get("transaction:none"), nil)
end

def check_watch(r)
  other = connect
  r.set("watch:a", "1")
  lost = r.watch("watch:a") do |own|
    expect(own.get("watch:a"), "1")
    other.set("watch:a", "2")
    own.multi { |transaction| transaction.set("watch:a", "lost") }
  end
  expect(lost, nil)
  expect(r.get("watch:a"), "2")
  won = r.watch("watch:a") { |own| own.multi { |transaction| transaction.append("watch:a", "3") } }
  expect(won, [2])
  expect(r.get("watch:a"), "23")
  other.close
end

def check_blocking(r)
  r.rpush("blocking:a", %w[1 2])
  expect(r.blpop("blocking:none", "blocking:a", timeout: 5), ["blocking:a", "1"])
  expect(r.brpop("blocking:a", timeout: 5), ["blocking:a", "2"])
  expect(r.blpop("blocking:none", timeout: 0.05), nil)
  waiter = Thread.new { connect.blpop("blocking:b", timeout: 15) }
  wait_until { r.info("clients")["blocked_clients"].to_i >= 1 }
  expect(r.rpush("blocking:b", %w[x y]).positive?, true)
  expect(waiter.value, ["blocking:b", "x"])
  expect(r.blmove("blocking:b", "blocking:c", "LEFT", "RIGHT", timeout: 5), "y")
  expect(r.lrange("blocking:c", 0, -1), ["y"])
end

def check_scripts(r)
  seen = r.eval("return {KEYS[1], ARGV[1], 7}", keys: ["scripts:k"], argv: ["v"])
  expect(seen, ["scripts:k", "v", 7])
  increment = r.script(:load, "return redis.call('INCRBY', KEYS[1], ARGV[1])")
  expect(r.evalsha(increment, keys: ["scripts:n"], argv: [5]), 5)
  expect(r.evalsha(increment, keys: ["scripts:n"], argv: [6]), 11)
  expect(r.eval("return redis.call('SET', KEYS[1], ARGV[1])", ["scripts:a"], ["loaded"]), "OK")
  expect(r.get("scripts:a"), "loaded")
  expect_error("NOSCRIPT") { r.evalsha("f" * 40) }
end

def check_scan(r)
  r.pipelined { |pipeline| 250.times { |number| pipeline.set("scan:#{number}", number) } }
  expect(r.scan_each(match: "scan:*", count: 30).to_a.uniq.sort, Array.new(250) { |number| "scan:#{number}" }.sort)
  fields = Array.new(250) { |number| ["f#{number}", number.to_s] }.to_h
  r.hset("scanned:hash", fields)
  expect(r.hscan_each("scanned:hash", count: 30).to_h, fields)
  r.sadd("scanned:set", fields.keys)
  expect(r.sscan_each("scanned:set").to_a.uniq.sort, fields.keys.sort)
  r.zadd("scanned:zset", fields.map { |name, value| [value.to_f, name] })
  expect(r.zscan_each("scanned:zset").to_h, fields.transform_values(&:to_f))
end

def check_errors(r)
  r.set("errors:text", "abc")
  expect_error("WRONGTYPE") { r.lpush("errors:text", "x") }
  expect_error("not an integer") { r.incr("errors:text") }
  expect_error("unknown command") { r.call("NO-SUCH-COMMAND", "a") }
  expect_error("wrong number of arguments") { r.call("GET") }
  expect(r.get("errors:text"), "abc")
end

def check_session(_)
  own = connect(id: "checker")
  own.client(:setname, "checker")
  expect(own.client(:getname), "checker")
  expect(own.call("CLIENT", "ID").positive?, true)
  expect(own.ping, "PONG")
  expect(own.echo("\x00echo"), "\x00echo")
  own.close
end

def check_databases(r)
  other = connect(db: 1)
  expect(r.set("databases:a", "zero"), "OK")
  expect(other.get("databases:a"), nil)
  expect(other.set("databases:a", "one"), "OK")
  expect(r.get("databases:a"), "zero")
  own = connect
  expect(own.select(1), "OK")
  expect(own.get("databases:a"), "one")
  expect_error("out of range") { own.call("SELECT", "4711") }
  expect(own.select(0), "OK")
  expect(own.get("databases:a"), "zero")
  own.close
  other.close
end

def check_pubsub(r)
  seen = Queue.new
  listener = Thread.new do
    connect.subscribe("pubsub:a", "pubsub:\xFF\x00".b) do |on|
      on.subscribe { |channel, count| seen << [:subscribe, channel.b, count] }
      on.message { |channel, message| seen << [channel.b, message.b] }
    end
  end
  patterns = connect
  pattern_listener = Thread.new do
    patterns.psubscribe("pubsub:p*") do |on|
      on.psubscribe { |pattern, count| seen << [:psubscribe, pattern, count] }
      on.pmessage do |pattern, channel, message|
        seen << [pattern, channel, message.b]
        patterns.punsubscribe
      end
      on.punsubscribe { |pattern, count| seen << [:punsubscribe, pattern, count] }
    end
  end
  started = Array.new(3) { seen.pop }
  expect(started.map { |event| event[1] }.sort, ["pubsub:a", "pubsub:p*", "pubsub:\xFF\x00".b].sort)
  expect(r.publish("pubsub:a", "one"), 1)
  expect(seen.pop, ["pubsub:a", "one"])
  expect(r.publish("pubsub:\xFF\x00".b, "two"), 1)
  expect(seen.pop, ["pubsub:\xFF\x00".b, "two"])
  expect(r.publish("pubsub:pattern", ALL_BYTES), 1)
  expect(seen.pop, ["pubsub:p*", "pubsub:pattern", ALL_BYTES])
  expect(seen.pop, [:punsubscribe, "pubsub:p*", 0])
  pattern_listener.join
  expect(r.publish("pubsub:pattern", "nobody"), 0)
  expect(patterns.get("pubsub:none"), nil)
  listener.kill
end

# A thread that fails fails the script, instead of leaving another one to wait for it.
Thread.abort_on_exception = true
Thread.report_on_exception = false
$stdout.sync = true
client = connect
CHECKS.each do |name|
  send("check_#{name}", client)
  puts "ok #{name}"
end
puts "done"
