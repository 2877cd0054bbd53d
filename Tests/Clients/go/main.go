// The client checks in redigo: main HOST PORT CHECK... (see Tests/ClientTests/Check.swift).
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
)

var (
	address  = net.JoinHostPort(os.Args[1], os.Args[2])
	allBytes = func() []byte {
		bytes := make([]byte, 256)
		for i := range bytes {
			bytes[i] = byte(i)
		}
		return bytes
	}()
)

type client struct{ redis.Conn }

func connect(options ...redis.DialOption) client {
	options = append(options, redis.DialReadTimeout(20*time.Second), redis.DialConnectTimeout(20*time.Second))
	connection, err := redis.Dial("tcp", address, options...)
	if err != nil {
		panic(err)
	}
	return client{connection}
}

// call executes a command that must not fail.
func (c client) call(command string, arguments ...interface{}) interface{} {
	reply, err := c.Do(command, arguments...)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", command, err))
	}
	return reply
}

// plain turns byte strings into strings, in arrays too.
func plain(reply interface{}) interface{} {
	switch reply := reply.(type) {
	case []byte:
		return string(reply)
	case []interface{}:
		list := make([]interface{}, len(reply))
		for i, element := range reply {
			list[i] = plain(element)
		}
		return list
	case int:
		return int64(reply)
	}
	return reply
}

func list(elements ...interface{}) interface{} { return plain(elements) }

func expect(seen, wanted interface{}) {
	if seen, wanted := plain(seen), plain(wanted); !reflect.DeepEqual(seen, wanted) {
		panic(fmt.Sprintf("expected %#v, got %#v", wanted, seen))
	}
}

// expect executes a command and compares its reply.
func (c client) expect(wanted interface{}, command string, arguments ...interface{}) {
	if seen := plain(c.call(command, arguments...)); !reflect.DeepEqual(seen, plain(wanted)) {
		panic(fmt.Sprintf("%s %v: expected %#v, got %#v", command, arguments, wanted, seen))
	}
}

func (c client) expectError(text, command string, arguments ...interface{}) {
	reply, err := c.Do(command, arguments...)
	if err == nil || !strings.Contains(err.Error(), text) {
		panic(fmt.Sprintf("%s: expected an error with %s, got %v, %v", command, text, reply, err))
	}
}

// sorted gives an array reply in the order of its elements.
func (c client) sorted(command string, arguments ...interface{}) interface{} {
	values, err := redis.Strings(c.Do(command, arguments...))
	if err != nil {
		panic(err)
	}
	sort.Strings(values)
	result := make([]interface{}, len(values))
	for i, value := range values {
		result[i] = value
	}
	return result
}

func waitUntil(condition func() bool) {
	for deadline := time.Now().Add(20 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			panic("waited in vain")
		}
	}
}

// scan follows a cursor and gives all elements.
func (c client) scan(command string, key []interface{}, options ...interface{}) []string {
	var found []string
	for cursor := "0"; ; {
		arguments := append(append(append([]interface{}{}, key...), cursor), options...)
		page, err := redis.Values(c.Do(command, arguments...))
		if err != nil {
			panic(err)
		}
		var elements []string
		if _, err := redis.Scan(page, &cursor, &elements); err != nil {
			panic(err)
		}
		found = append(found, elements...)
		if cursor == "0" {
			return found
		}
	}
}

func main() {
	c := connect()
	for _, name := range os.Args[3:] {
		checks[name](c)
		fmt.Println("ok", name)
	}
	fmt.Println("done")
}

var checks = map[string]func(client){
	"strings": func(c client) {
		c.expect("OK", "SET", "strings:a", 1)
		c.expect("1", "GET", "strings:a")
		c.expect(nil, "SET", "strings:a", 2, "NX")
		c.expect("OK", "SET", "strings:ttl", "x", "EX", 1000)
		ttl := c.call("TTL", "strings:ttl").(int64)
		expect(ttl > 990 && ttl <= 1000, true)
		c.expect("OK", "MSET", "strings:b", "b", "strings:c", "c")
		c.expect(list("b", nil, "c"), "MGET", "strings:b", "strings:none", "strings:c")
		c.expect(1, "INCR", "strings:n")
		c.expect(42, "INCRBY", "strings:n", 41)
		c.expect("42.5", "INCRBYFLOAT", "strings:n", 0.5)
		c.expect(3, "APPEND", "strings:b", "cd")
		c.expect("cd", "GETRANGE", "strings:b", 1, 2)
		c.expect("c", "GETDEL", "strings:c")
		c.expect(0, "EXISTS", "strings:c")
		c.expect(1, "DEL", "strings:a", "strings:none")
	},
	"hashes": func(c client) {
		c.expect(3, "HSET", redis.Args{}.Add("hashes:a").AddFlat([]string{"f", "1", "g", "two", "h", "3"})...)
		c.expect("two", "HGET", "hashes:a", "g")
		c.expect(10, "HINCRBY", "hashes:a", "f", 9)
		c.expect(list("10", nil, "two"), "HMGET", "hashes:a", "f", "none", "g")
		c.expect(1, "HDEL", "hashes:a", "h")
		all, err := redis.StringMap(c.Do("HGETALL", "hashes:a"))
		expect(err, nil)
		expect(all, map[string]string{"f": "10", "g": "two"})
		c.expect(2, "HLEN", "hashes:a")
		c.expect(0, "HEXISTS", "hashes:a", "h")
	},
	"lists": func(c client) {
		c.expect(4, "RPUSH", "lists:a", "a", "b", "c", "d")
		c.expect(5, "LPUSH", "lists:a", "z")
		c.expect(list("z", "a", "b", "c", "d"), "LRANGE", "lists:a", 0, -1)
		c.expect("a", "LINDEX", "lists:a", 1)
		c.expect("z", "LPOP", "lists:a")
		c.expect("d", "RPOP", "lists:a")
		c.expect(1, "LREM", "lists:a", 0, "b")
		c.expect("OK", "LTRIM", "lists:a", 0, 0)
		c.expect(1, "LLEN", "lists:a")
		c.expect("a", "LMOVE", "lists:a", "lists:b", "LEFT", "RIGHT")
	},
	"sets": func(c client) {
		c.expect(4, "SADD", "sets:a", "a", "b", "c", "d")
		c.expect(3, "SADD", "sets:b", "b", "c", "x")
		expect(c.sorted("SMEMBERS", "sets:b"), list("b", "c", "x"))
		c.expect(1, "SISMEMBER", "sets:a", "a")
		expect(c.sorted("SINTER", "sets:a", "sets:b"), list("b", "c"))
		c.expect(5, "SUNIONSTORE", "sets:c", "sets:a", "sets:b")
		c.expect(1, "SREM", "sets:a", "a")
		expect(strings.Contains("bcd", plain(c.call("SPOP", "sets:a")).(string)), true)
		c.expect(2, "SCARD", "sets:a")
	},
	"sorted_sets": func(c client) {
		c.expect(3, "ZADD", "zsets:a", 1, "a", 2.5, "b", 3, "c")
		c.expect("11", "ZINCRBY", "zsets:a", 10, "a")
		c.expect(list("b", "2.5", "c", "3", "a", "11"), "ZRANGE", "zsets:a", 0, -1, "WITHSCORES")
		c.expect("2.5", "ZSCORE", "zsets:a", "b")
		c.expect(list("b", "c"), "ZRANGEBYSCORE", "zsets:a", 2, 4)
		c.expect(2, "ZRANK", "zsets:a", "a")
		c.expect(1, "ZREM", "zsets:a", "c")
		c.expect(2, "ZCARD", "zsets:a")
	},
	"binary": func(c client) {
		key := append([]byte("binary:"), allBytes...)
		c.expect("OK", "SET", key, allBytes)
		c.expect(allBytes, "GET", key)
		c.expect("OK", "SET", "binary:empty", "")
		c.expect("", "GET", "binary:empty")
		c.expect(1, "HSET", "binary:hash", allBytes, "\r\n")
		c.expect(list(allBytes, "\r\n"), "HGETALL", "binary:hash")
		large := bytes.Repeat(allBytes, 4096)
		c.expect("OK", "SET", "binary:large", large)
		expect(bytes.Equal(c.call("GET", "binary:large").([]byte), large), true)
	},
	"pipeline": func(c client) {
		for i := 0; i < 100; i++ {
			c.Send("INCR", "pipeline:n")
		}
		c.Send("RPUSH", "pipeline:list", "a", "b")
		c.Send("LRANGE", "pipeline:list", 0, -1)
		c.Send("GET", "pipeline:none")
		expect(c.Flush(), nil)
		receive := func() interface{} {
			reply, err := c.Receive()
			expect(err, nil)
			return reply
		}
		for i := 1; i <= 100; i++ {
			expect(receive(), i)
		}
		expect(receive(), 2)
		expect(receive(), list("a", "b"))
		expect(receive(), nil)
		c.Send("INCR", "pipeline:list")
		c.Send("INCR", "pipeline:n")
		expect(c.Flush(), nil)
		_, err := c.Receive()
		expect(err != nil, true)
		expect(receive(), 101)
	},
	"transaction": func(c client) {
		c.Send("MULTI")
		c.Send("SET", "transaction:a", 1)
		c.Send("INCR", "transaction:a")
		c.Send("LPUSH", "transaction:list", "x")
		c.Send("GET", "transaction:a")
		c.expect(list("OK", 2, 1, "2"), "EXEC")
		c.expect("OK", "MULTI")
		c.expect("QUEUED", "INCR", "transaction:none")
		c.expect("OK", "DISCARD")
		c.expect(nil, "GET", "transaction:none")
	},
	"watch": func(c client) {
		other := connect()
		defer other.Close()
		c.expect("OK", "SET", "watch:a", 1)
		c.expect("OK", "WATCH", "watch:a")
		c.expect("1", "GET", "watch:a")
		other.expect("OK", "SET", "watch:a", 2)
		c.Send("MULTI")
		c.Send("SET", "watch:a", "lost")
		c.expect(nil, "EXEC")
		c.expect("2", "GET", "watch:a")
		c.expect("OK", "WATCH", "watch:a")
		c.Send("MULTI")
		c.Send("APPEND", "watch:a", 3)
		c.expect(list(2), "EXEC")
		c.expect("23", "GET", "watch:a")
	},
	"blocking": func(c client) {
		c.call("RPUSH", "blocking:a", 1, 2)
		c.expect(list("blocking:a", "1"), "BLPOP", "blocking:none", "blocking:a", 5)
		c.expect(list("blocking:a", "2"), "BRPOP", "blocking:a", 5)
		c.expect(nil, "BLPOP", "blocking:none", 0.05)
		popped := make(chan interface{}, 1)
		go func() { popped <- connect().call("BLPOP", "blocking:b", 15) }()
		waitUntil(func() bool {
			info := plain(c.call("INFO", "clients")).(string)
			return strings.Contains(info, "blocked_clients:") && !strings.Contains(info, "blocked_clients:0")
		})
		expect(c.call("RPUSH", "blocking:b", "x", "y").(int64) > 0, true)
		expect(<-popped, list("blocking:b", "x"))
		c.expect("y", "BLMOVE", "blocking:b", "blocking:c", "LEFT", "RIGHT", 5)
		c.expect(list("y"), "LRANGE", "blocking:c", 0, -1)
	},
	"scripts": func(c client) {
		c.expect(list("scripts:k", "v", 7), "EVAL", "return {KEYS[1], ARGV[1], 7}", 1, "scripts:k", "v")
		increment := redis.NewScript(1, "return redis.call('INCRBY', KEYS[1], ARGV[1])")
		for _, step := range [][2]int64{{5, 5}, {6, 11}} {
			reply, err := increment.Do(c, "scripts:n", step[0])
			expect(err, nil)
			expect(reply, step[1])
		}
		store := redis.NewScript(1, "return redis.call('SET', KEYS[1], ARGV[1])")
		expect(store.Load(c), nil)
		c.expect("OK", "EVALSHA", store.Hash(), 1, "scripts:a", "loaded")
		c.expect("loaded", "GET", "scripts:a")
		c.expectError("NOSCRIPT", "EVALSHA", strings.Repeat("f", 40), 0)
	},
	"scan": func(c client) {
		names := map[string]bool{}
		fields, hash, zset := map[string]bool{}, redis.Args{"scanned:hash"}, redis.Args{"scanned:zset"}
		values := map[string]string{}
		set := redis.Args{"scanned:set"}
		for i := 0; i < 250; i++ {
			c.Send("SET", fmt.Sprint("scan:", i), i)
			names[fmt.Sprint("scan:", i)] = true
			field := fmt.Sprint("f", i)
			fields[field], values[field] = true, strconv.Itoa(i)
			hash, zset, set = hash.Add(field, i), zset.Add(i, field), set.Add(field)
		}
		c.call("")
		found := map[string]bool{}
		for _, key := range c.scan("SCAN", nil, "MATCH", "scan:*", "COUNT", 30) {
			found[key] = true
		}
		expect(found, names)
		pairs := func(elements []string) map[string]string {
			result := map[string]string{}
			for i := 0; i < len(elements); i += 2 {
				result[elements[i]] = elements[i+1]
			}
			return result
		}
		c.call("HSET", hash...)
		expect(pairs(c.scan("HSCAN", list("scanned:hash").([]interface{}), "COUNT", 30)), values)
		c.call("SADD", set...)
		members := map[string]bool{}
		for _, member := range c.scan("SSCAN", list("scanned:set").([]interface{})) {
			members[member] = true
		}
		expect(members, fields)
		c.call("ZADD", zset...)
		expect(pairs(c.scan("ZSCAN", list("scanned:zset").([]interface{}))), values)
	},
	"errors": func(c client) {
		c.call("SET", "errors:text", "abc")
		c.expectError("WRONGTYPE", "LPUSH", "errors:text", "x")
		c.expectError("not an integer", "INCR", "errors:text")
		c.expectError("unknown command", "NO-SUCH-COMMAND", "a")
		c.expectError("wrong number of arguments", "GET")
		c.expect("abc", "GET", "errors:text")
	},
	"session": func(client) {
		own := connect(redis.DialClientName("checker"))
		defer own.Close()
		own.expect("checker", "CLIENT", "GETNAME")
		own.expect("OK", "CLIENT", "SETNAME", "renamed")
		own.expect("renamed", "CLIENT", "GETNAME")
		expect(own.call("CLIENT", "ID").(int64) > 0, true)
		own.expect("PONG", "PING")
		own.expect("\x00echo", "ECHO", "\x00echo")
	},
	"databases": func(c client) {
		other := connect(redis.DialDatabase(1))
		defer other.Close()
		c.expect("OK", "SET", "databases:a", "zero")
		other.expect(nil, "GET", "databases:a")
		other.expect("OK", "SET", "databases:a", "one")
		c.expect("zero", "GET", "databases:a")
		own := connect()
		defer own.Close()
		own.expect("OK", "SELECT", 1)
		own.expect("one", "GET", "databases:a")
		own.expectError("out of range", "SELECT", 4711)
		own.expect("OK", "SELECT", 0)
		own.expect("zero", "GET", "databases:a")
	},
	"pubsub": func(c client) {
		listener := redis.PubSubConn{Conn: connect().Conn}
		defer listener.Close()
		expect(listener.Subscribe("pubsub:a", "pubsub:\xff\x00"), nil)
		expect(listener.PSubscribe("pubsub:p*"), nil)
		receive := func() interface{} { return listener.ReceiveWithTimeout(20 * time.Second) }
		expect(receive(), redis.Subscription{Kind: "subscribe", Channel: "pubsub:a", Count: 1})
		expect(receive(), redis.Subscription{Kind: "subscribe", Channel: "pubsub:\xff\x00", Count: 2})
		expect(receive(), redis.Subscription{Kind: "psubscribe", Channel: "pubsub:p*", Count: 3})
		c.expect(1, "PUBLISH", "pubsub:a", "one")
		c.expect(1, "PUBLISH", "pubsub:pattern", allBytes)
		c.expect(1, "PUBLISH", "pubsub:\xff\x00", "three")
		expect(listener.Ping("still"), nil)
		expect(receive(), redis.Message{Channel: "pubsub:a", Data: []byte("one")})
		expect(receive(), redis.Message{Pattern: "pubsub:p*", Channel: "pubsub:pattern", Data: allBytes})
		expect(receive(), redis.Message{Channel: "pubsub:\xff\x00", Data: []byte("three")})
		expect(receive(), redis.Pong{Data: "still"})
		expect(listener.Unsubscribe("pubsub:a"), nil)
		expect(receive(), redis.Subscription{Kind: "unsubscribe", Channel: "pubsub:a", Count: 2})
		c.expect(0, "PUBLISH", "pubsub:a", "nobody")
	},
}
