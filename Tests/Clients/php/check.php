<?php
// The client checks in phpredis: check.php HOST PORT CHECK... (see Tests/ClientTests/Check.swift).

declare(strict_types=1);

[, $host, $port] = $argv;
$allBytes = implode('', array_map('chr', range(0, 255)));

function connection(): Redis
{
    global $host, $port;
    $redis = new Redis();
    $redis->connect($host, (int) $port, 20, null, 0, 20);
    return $redis;
}

function fail(string $message): never
{
    throw new Exception($message);
}

function expect(mixed $seen, mixed $wanted): void
{
    $seen === $wanted || fail('expected ' . var_export($wanted, true) . ', got ' . var_export($seen, true));
}

/** Runs a command whose error phpredis keeps, while the command's own result is false. */
function expectError(Redis $r, string $text, callable $action): void
{
    $r->clearLastError();
    try {
        $seen = $action();
        $error = $r->getLastError() ?? '';
    } catch (RedisException $exception) {
        $seen = null;
        $error = $exception->getMessage();
    }
    str_contains($error, $text) || fail("expected an error with $text, got '$error' and " . var_export($seen, true));
}

function sorted(array $values): array
{
    sort($values);
    return $values;
}

/**
 * Runs the action in a process of its own, with a function that it tells its result; returns one that waits for the
 * result.
 */
function inBackground(callable $action): callable
{
    [$mine, $its] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    if (pcntl_fork() === 0) {
        fclose($mine);
        $action(fn(string $result) => fwrite($its, $result));
        exit(0);
    }
    fclose($its);
    return fn(): string => stream_get_contents($mine);
}

function waitUntil(callable $condition): void
{
    $deadline = microtime(true) + 20;
    while (!$condition()) {
        microtime(true) < $deadline || fail('waited in vain');
    }
}

$checks = [
    'strings' => function (Redis $r): void {
        expect($r->set('strings:a', '1'), true);
        expect($r->get('strings:a'), '1');
        expect($r->set('strings:a', '2', ['nx']), false);
        expect($r->set('strings:ttl', 'x', ['ex' => 1000]), true);
        $ttl = $r->ttl('strings:ttl');
        expect($ttl > 990 && $ttl <= 1000, true);
        expect($r->mset(['strings:b' => 'b', 'strings:c' => 'c']), true);
        expect($r->mget(['strings:b', 'strings:none', 'strings:c']), ['b', false, 'c']);
        expect($r->incr('strings:n'), 1);
        expect($r->incrBy('strings:n', 41), 42);
        expect($r->incrByFloat('strings:n', 0.5), 42.5);
        expect($r->append('strings:b', 'cd'), 3);
        expect($r->getRange('strings:b', 1, 2), 'cd');
        expect($r->rawCommand('GETDEL', 'strings:c'), 'c');
        expect($r->exists('strings:c'), 0);
        expect($r->del('strings:a', 'strings:none'), 1);
    },
    'hashes' => function (Redis $r): void {
        expect($r->hMSet('hashes:a', ['f' => '1', 'g' => 'two', 'h' => '3']), true);
        expect($r->hGet('hashes:a', 'g'), 'two');
        expect($r->hIncrBy('hashes:a', 'f', 9), 10);
        expect($r->hMGet('hashes:a', ['f', 'none', 'g']), ['f' => '10', 'none' => false, 'g' => 'two']);
        expect($r->hDel('hashes:a', 'h'), 1);
        $all = $r->hGetAll('hashes:a');
        ksort($all);
        expect($all, ['f' => '10', 'g' => 'two']);
        expect($r->hLen('hashes:a'), 2);
        expect($r->hExists('hashes:a', 'h'), false);
    },
    'lists' => function (Redis $r): void {
        expect($r->rPush('lists:a', 'a', 'b', 'c', 'd'), 4);
        expect($r->lPush('lists:a', 'z'), 5);
        expect($r->lRange('lists:a', 0, -1), ['z', 'a', 'b', 'c', 'd']);
        expect($r->lIndex('lists:a', 1), 'a');
        expect($r->lPop('lists:a'), 'z');
        expect($r->rPop('lists:a'), 'd');
        expect($r->lRem('lists:a', 'b', 0), 1);
        expect($r->lTrim('lists:a', 0, 0), true);
        expect($r->lLen('lists:a'), 1);
        expect($r->rawCommand('LMOVE', 'lists:a', 'lists:b', 'LEFT', 'RIGHT'), 'a');
    },
    'sets' => function (Redis $r): void {
        expect($r->sAdd('sets:a', 'a', 'b', 'c', 'd'), 4);
        expect($r->sAdd('sets:b', 'b', 'c', 'x'), 3);
        expect(sorted($r->sMembers('sets:b')), ['b', 'c', 'x']);
        expect($r->sIsMember('sets:a', 'a'), true);
        expect(sorted($r->sInter('sets:a', 'sets:b')), ['b', 'c']);
        expect($r->sUnionStore('sets:c', 'sets:a', 'sets:b'), 5);
        expect($r->sRem('sets:a', 'a'), 1);
        expect(in_array($r->sPop('sets:a'), ['b', 'c', 'd'], true), true);
        expect($r->sCard('sets:a'), 2);
    },
    'sorted_sets' => function (Redis $r): void {
        expect($r->zAdd('zsets:a', 1, 'a', 2.5, 'b', 3, 'c'), 3);
        expect($r->zIncrBy('zsets:a', 10, 'a'), 11.0);
        expect($r->zRange('zsets:a', 0, -1, true), ['b' => 2.5, 'c' => 3.0, 'a' => 11.0]);
        expect($r->zScore('zsets:a', 'b'), 2.5);
        expect($r->zRangeByScore('zsets:a', '2', '4'), ['b', 'c']);
        expect($r->zRank('zsets:a', 'a'), 2);
        expect($r->zRem('zsets:a', 'c'), 1);
        expect($r->zCard('zsets:a'), 2);
    },
    'binary' => function (Redis $r) use ($allBytes): void {
        expect($r->set("binary:$allBytes", $allBytes), true);
        expect($r->get("binary:$allBytes"), $allBytes);
        expect($r->set('binary:empty', ''), true);
        expect($r->get('binary:empty'), '');
        expect($r->hSet('binary:hash', $allBytes, "\r\n"), 1);
        expect($r->hGetAll('binary:hash'), [$allBytes => "\r\n"]);
        $large = str_repeat($allBytes, 4096);
        expect($r->set('binary:large', $large), true);
        expect($r->get('binary:large') === $large, true);
    },
    'pipeline' => function (Redis $r): void {
        $r->multi(Redis::PIPELINE);
        for ($i = 0; $i < 100; $i++) {
            $r->incr('pipeline:n');
        }
        $r->rPush('pipeline:list', 'a', 'b');
        $r->lRange('pipeline:list', 0, -1);
        $r->get('pipeline:none');
        expect($r->exec(), [...range(1, 100), 2, ['a', 'b'], false]);
        $r->multi(Redis::PIPELINE);
        $r->incr('pipeline:list');
        $r->incr('pipeline:n');
        expect($r->exec(), [false, 101]);
    },
    'transaction' => function (Redis $r): void {
        $r->multi();
        $r->set('transaction:a', '1');
        $r->incr('transaction:a');
        $r->lPush('transaction:list', 'x');
        $r->get('transaction:a');
        expect($r->exec(), [true, 2, 1, '2']);
        $r->multi();
        $r->incr('transaction:none');
        expect($r->discard(), true);
        expect($r->get('transaction:none'), false);
    },
    'watch' => function (Redis $r): void {
        $other = connection();
        $r->set('watch:a', '1');
        expect($r->watch('watch:a'), true);
        expect($r->get('watch:a'), '1');
        $other->set('watch:a', '2');
        $r->multi();
        $r->set('watch:a', 'lost');
        expect($r->exec(), false);
        expect($r->get('watch:a'), '2');
        expect($r->watch('watch:a'), true);
        $r->multi();
        $r->append('watch:a', '3');
        expect($r->exec(), [2]);
        expect($r->get('watch:a'), '23');
        $other->close();
    },
    'blocking' => function (Redis $r): void {
        $r->rPush('blocking:a', '1', '2');
        expect($r->blPop(['blocking:none', 'blocking:a'], 5), ['blocking:a', '1']);
        expect($r->brPop(['blocking:a'], 5), ['blocking:a', '2']);
        expect($r->rawCommand('BLPOP', 'blocking:none', '0.05'), []);
        $waiter = inBackground(fn(callable $tell) => $tell(implode(' ', connection()->blPop(['blocking:b'], 15))));
        waitUntil(fn() => $r->info('clients')['blocked_clients'] >= 1);
        expect($r->rPush('blocking:b', 'x', 'y') > 0, true);
        expect($waiter(), 'blocking:b x');
        expect($r->rawCommand('BLMOVE', 'blocking:b', 'blocking:c', 'LEFT', 'RIGHT', '5'), 'y');
        expect($r->lRange('blocking:c', 0, -1), ['y']);
    },
    'scripts' => function (Redis $r): void {
        expect($r->eval('return {KEYS[1], ARGV[1], 7}', ['scripts:k', 'v'], 1), ['scripts:k', 'v', 7]);
        $increment = $r->script('load', "return redis.call('INCRBY', KEYS[1], ARGV[1])");
        expect($r->evalSha($increment, ['scripts:n', '5'], 1), 5);
        expect($r->evalSha($increment, ['scripts:n', '6'], 1), 11);
        expect($r->eval("return redis.call('SET', KEYS[1], ARGV[1])", ['scripts:a', 'loaded'], 1), true);
        expect($r->get('scripts:a'), 'loaded');
        expectError($r, 'NOSCRIPT', fn() => $r->evalSha(str_repeat('f', 40)));
    },
    'scan' => function (Redis $r): void {
        $names = array_map(fn(int $i) => "scan:$i", range(0, 249));
        $r->multi(Redis::PIPELINE);
        foreach ($names as $i => $name) {
            $r->set($name, (string) $i);
        }
        $r->exec();
        $all = function (callable $page): array {
            $found = [];
            $cursor = null;
            do {
                foreach ($page($cursor) ?: [] as $key => $value) {
                    $found[is_int($key) ? $value : $key] = (string) $value;
                }
            } while ($cursor !== 0);
            ksort($found);
            return $found;
        };
        $keys = $all(function (&$cursor) use ($r) {
            return $r->scan($cursor, 'scan:*', 30);
        });
        expect(array_keys($keys), sorted($names));
        $fields = [];
        foreach (range(0, 249) as $i) {
            $fields["f$i"] = (string) $i;
        }
        ksort($fields);
        $r->hMSet('scanned:hash', $fields);
        expect($all(function (&$cursor) use ($r) {
            return $r->hScan('scanned:hash', $cursor, null, 30);
        }), $fields);
        $r->sAdd('scanned:set', ...array_keys($fields));
        expect(array_keys($all(function (&$cursor) use ($r) {
            return $r->sScan('scanned:set', $cursor);
        })), array_keys($fields));
        foreach ($fields as $name => $score) {
            $r->zAdd('scanned:zset', (float) $score, $name);
        }
        expect($all(function (&$cursor) use ($r) {
            return $r->zScan('scanned:zset', $cursor);
        }), $fields);
    },
    'errors' => function (Redis $r): void {
        $r->set('errors:text', 'abc');
        expectError($r, 'WRONGTYPE', fn() => $r->lPush('errors:text', 'x'));
        expectError($r, 'not an integer', fn() => $r->incr('errors:text'));
        expectError($r, 'unknown command', fn() => $r->rawCommand('NO-SUCH-COMMAND', 'a'));
        expectError($r, 'wrong number of arguments', fn() => $r->rawCommand('GET'));
        expect($r->get('errors:text'), 'abc');
    },
    'session' => function (): void {
        $own = connection();
        expect($own->client('setname', 'checker'), true);
        expect($own->client('getname'), 'checker');
        expect($own->rawCommand('CLIENT', 'ID') > 0, true);
        expect($own->ping(), true);
        expect($own->echo("\0echo"), "\0echo");
        $own->close();
    },
    'databases' => function (Redis $r): void {
        $own = connection();
        expect($r->set('databases:a', 'zero'), true);
        expect($own->select(1), true);
        expect($own->get('databases:a'), false);
        expect($own->set('databases:a', 'one'), true);
        expect($r->get('databases:a'), 'zero');
        expect($own->get('databases:a'), 'one');
        expectError($own, 'out of range', fn() => $own->rawCommand('SELECT', '4711'));
        expect($own->select(0), true);
        expect($own->get('databases:a'), 'zero');
        $own->close();
    },
    'pubsub' => function (Redis $r) use ($allBytes): void {
        // Nothing but an error leaves subscribe(). So each listener has a process of its own, which ends when it has
        // what it waits for.
        $listen = fn(string $subscribe, array $topics, int $count) => inBackground(
            function (callable $tell) use ($subscribe, $topics, $count): void {
                $seen = [];
                $hear = function (Redis $own, ...$message) use (&$seen, $tell, $subscribe, $topics, $count): void {
                    $seen[] = $message;
                    if (count($seen) === $count) {
                        // By name, but phpredis cuts a name off at its first NUL byte there.
                        $seen[] = array_values($own->{str_replace('sub', 'unsub', $subscribe)}($topics));
                        $tell(serialize($seen));
                        exit(0);
                    }
                };
                connection()->$subscribe($topics, $hear);
            }
        );
        $channels = $listen('subscribe', ['pubsub:a', "pubsub:\xff\0"], 2);
        $patterns = $listen('psubscribe', ['pubsub:p*'], 1);
        // What nobody is told yet is published again.
        waitUntil(fn() => $r->publish('pubsub:a', 'one') === 1);
        waitUntil(fn() => $r->publish('pubsub:pattern', $allBytes) === 1);
        waitUntil(fn() => $r->publish("pubsub:\xff\0", 'two') === 1);
        expect(unserialize($channels()), [['pubsub:a', 'one'], ["pubsub:\xff\0", 'two'], [true, true]]);
        expect(unserialize($patterns()), [['pubsub:p*', 'pubsub:pattern', $allBytes], [true]]);
        expect($r->publish('pubsub:a', 'nobody'), 0);
    },
];

$client = connection();
foreach (array_slice($argv, 3) as $name) {
    $checks[$name]($client);
    echo "ok $name\n";
}
echo "done\n";
