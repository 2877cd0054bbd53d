# The client checks in Perl's Redis module: check.pl HOST PORT CHECK... (see Tests/ClientTests/Check.swift).

use v5.32;
use strict;
use warnings;
use Redis;
use Time::HiRes qw(time);

my ($host, $port, @checks) = @ARGV;
my $all_bytes = join '', map { chr } 0 .. 255;
$| = 1;

# Version 2 of the module sends and returns bytes as they are.
sub connection { Redis->new(server => "$host:$port", read_timeout => 20, cnx_timeout => 20, @_) }

# A value of any shape as one line.
sub shown {
  my ($value) = @_;
  return 'undef' unless defined $value;
  return '[' . join(', ', map { shown($_) } @$value) . ']' if ref $value eq 'ARRAY';
  return '{' . join(', ', map { "$_: " . shown($value->{$_}) } sort keys %$value) . '}' if ref $value eq 'HASH';
  return "'$value'";
}

sub expect {
  my ($seen, $wanted) = map { shown($_) } @_;
  die "expected $wanted, got $seen at line " . (caller)[2] . "\n" unless $seen eq $wanted;
}

sub expect_error {
  my ($text, $action) = @_;
  my $seen = eval { $action->() };
  my $error = $@;
  die "expected an error with $text, got " . shown($seen) . "\n" unless $error;
  die "expected an error with $text, got $error\n" unless index($error, $text) >= 0;
}

# Runs the action in a process of its own; returns a function that waits for the text it returned.
sub in_background {
  my ($action) = @_;
  my $child = open(my $pipe, '-|') // die "fork: $!";
  if (!$child) {
    $| = 1;
    print $action->();
    exit 0;
  }
  return sub {
    local $/;
    my $text = <$pipe>;
    close $pipe or die "the other process failed\n";
    return $text;
  };
}

sub wait_until {
  my ($condition) = @_;
  my $deadline = time + 20;
  until ($condition->()) { die "waited in vain\n" if time > $deadline }
}

my %check = (
  strings => sub {
    my ($r) = @_;
    expect($r->set('strings:a', 1), 'OK');
    expect($r->get('strings:a'), 1);
    expect($r->set('strings:a', 2, 'NX'), undef);
    expect($r->set('strings:ttl', 'x', 'EX', 1000), 'OK');
    my $ttl = $r->ttl('strings:ttl');
    die "time to live $ttl\n" unless $ttl > 990 && $ttl <= 1000;
    expect($r->mset('strings:b', 'b', 'strings:c', 'c'), 'OK');
    expect([$r->mget('strings:b', 'strings:none', 'strings:c')], ['b', undef, 'c']);
    expect($r->incr('strings:n'), 1);
    expect($r->incrby('strings:n', 41), 42);
    expect($r->incrbyfloat('strings:n', 0.5), '42.5');
    expect($r->append('strings:b', 'cd'), 3);
    expect($r->getrange('strings:b', 1, 2), 'cd');
    expect($r->getdel('strings:c'), 'c');
    expect($r->exists('strings:c'), 0);
    expect($r->del('strings:a', 'strings:none'), 1);
  },
  hashes => sub {
    my ($r) = @_;
    expect($r->hset('hashes:a', 'f', 1, 'g', 'two', 'h', 3), 3);
    expect($r->hget('hashes:a', 'g'), 'two');
    expect($r->hincrby('hashes:a', 'f', 9), 10);
    expect([$r->hmget('hashes:a', 'f', 'none', 'g')], [10, undef, 'two']);
    expect($r->hdel('hashes:a', 'h'), 1);
    expect({$r->hgetall('hashes:a')}, {f => 10, g => 'two'});
    expect($r->hlen('hashes:a'), 2);
    expect($r->hexists('hashes:a', 'h'), 0);
  },
  lists => sub {
    my ($r) = @_;
    expect($r->rpush('lists:a', qw(a b c d)), 4);
    expect($r->lpush('lists:a', 'z'), 5);
    expect([$r->lrange('lists:a', 0, -1)], [qw(z a b c d)]);
    expect($r->lindex('lists:a', 1), 'a');
    expect($r->lpop('lists:a'), 'z');
    expect($r->rpop('lists:a'), 'd');
    expect($r->lrem('lists:a', 0, 'b'), 1);
    expect($r->ltrim('lists:a', 0, 0), 'OK');
    expect($r->llen('lists:a'), 1);
    expect($r->lmove('lists:a', 'lists:b', 'LEFT', 'RIGHT'), 'a');
  },
  sets => sub {
    my ($r) = @_;
    expect($r->sadd('sets:a', qw(a b c d)), 4);
    expect($r->sadd('sets:b', qw(b c x)), 3);
    expect([sort $r->smembers('sets:b')], [qw(b c x)]);
    expect($r->sismember('sets:a', 'a'), 1);
    expect([sort $r->sinter('sets:a', 'sets:b')], [qw(b c)]);
    expect($r->sunionstore('sets:c', 'sets:a', 'sets:b'), 5);
    expect($r->srem('sets:a', 'a'), 1);
    my $popped = $r->spop('sets:a');
    die "SPOP gave $popped\n" unless $popped =~ /^[bcd]$/;
    expect($r->scard('sets:a'), 2);
  },
  sorted_sets => sub {
    my ($r) = @_;
    expect($r->zadd('zsets:a', 1, 'a', 2.5, 'b', 3, 'c'), 3);
    expect($r->zincrby('zsets:a', 10, 'a'), 11);
    expect([$r->zrange('zsets:a', 0, -1, 'WITHSCORES')], ['b', 2.5, 'c', 3, 'a', 11]);
    expect($r->zscore('zsets:a', 'b'), 2.5);
    expect([$r->zrangebyscore('zsets:a', 2, 4)], [qw(b c)]);
    expect($r->zrank('zsets:a', 'a'), 2);
    expect($r->zrem('zsets:a', 'c'), 1);
    expect($r->zcard('zsets:a'), 2);
  },
  binary => sub {
    my ($r) = @_;
    my $key = "binary:$all_bytes";
    expect($r->set($key, $all_bytes), 'OK');
    expect($r->get($key), $all_bytes);
    expect($r->set('binary:empty', ''), 'OK');
    expect($r->get('binary:empty'), '');
    expect($r->hset('binary:hash', $all_bytes, "\r\n"), 1);
    expect({$r->hgetall('binary:hash')}, {$all_bytes => "\r\n"});
    my $large = $all_bytes x 4096;
    expect($r->set('binary:large', $large), 'OK');
    die "the large value came back otherwise\n" unless $r->get('binary:large') eq $large;
  },
  pipeline => sub {
    my ($r) = @_;
    my @replies;
    my $gather = sub { push @replies, defined $_[1] ? 'error' : $_[0] };
    $r->incr('pipeline:n', $gather) for 1 .. 100;
    $r->rpush('pipeline:list', 'a', 'b', $gather);
    $r->lrange('pipeline:list', 0, -1, $gather);
    $r->get('pipeline:none', $gather);
    $r->wait_all_responses;
    expect(\@replies, [1 .. 100, 2, ['a', 'b'], undef]);
    @replies = ();
    $r->incr('pipeline:list', $gather);
    $r->incr('pipeline:n', $gather);
    $r->wait_all_responses;
    expect(\@replies, ['error', 101]);
  },
  transaction => sub {
    my ($r) = @_;
    expect($r->multi, 'OK');
    expect($r->set('transaction:a', 1), 'QUEUED');
    expect($r->incr('transaction:a'), 'QUEUED');
    expect($r->lpush('transaction:list', 'x'), 'QUEUED');
    expect($r->get('transaction:a'), 'QUEUED');
    expect([$r->exec], ['OK', 2, 1, 2]);
    expect($r->multi, 'OK');
    expect($r->incr('transaction:none'), 'QUEUED');
    expect($r->discard, 'OK');
    expect($r->get('transaction:none'), undef);
  },
  watch => sub {
    my ($r) = @_;
    my $other = connection();
    $r->set('watch:a', 1);
    expect($r->watch('watch:a'), 'OK');
    expect($r->get('watch:a'), 1);
    $other->set('watch:a', 2);
    $r->multi;
    $r->set('watch:a', 'lost');
    expect([$r->exec], [undef]);
    expect($r->get('watch:a'), 2);
    expect($r->watch('watch:a'), 'OK');
    $r->multi;
    $r->append('watch:a', 3);
    expect([$r->exec], [2]);
    expect($r->get('watch:a'), 23);
    $other->quit;
  },
  blocking => sub {
    my ($r) = @_;
    $r->rpush('blocking:a', 1, 2);
    expect([$r->blpop('blocking:none', 'blocking:a', 5)], ['blocking:a', 1]);
    expect([$r->brpop('blocking:a', 5)], ['blocking:a', 2]);
    expect([$r->blpop('blocking:none', 0.05)], [undef]);
    my $waiter = in_background(sub { join ' ', connection()->blpop('blocking:b', 15) });
    wait_until(sub { $r->info('clients')->{blocked_clients} >= 1 });
    die "RPUSH failed\n" unless $r->rpush('blocking:b', 'x', 'y') > 0;
    expect($waiter->(), 'blocking:b x');
    expect($r->blmove('blocking:b', 'blocking:c', 'LEFT', 'RIGHT', 5), 'y');
    expect([$r->lrange('blocking:c', 0, -1)], ['y']);
  },
  scripts => sub {
    my ($r) = @_;
    expect([$r->eval('return {KEYS[1], ARGV[1], 7}', 1, 'scripts:k', 'v')], ['scripts:k', 'v', 7]);
    my $increment = $r->script_load("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    expect($r->evalsha($increment, 1, 'scripts:n', 5), 5);
    expect($r->evalsha($increment, 1, 'scripts:n', 6), 11);
    expect($r->eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, 'scripts:a', 'loaded'), 'OK');
    expect($r->get('scripts:a'), 'loaded');
    expect_error('NOSCRIPT', sub { $r->evalsha('f' x 40, 0) });
  },
  scan => sub {
    my ($r) = @_;
    $r->set("scan:$_", $_, sub { }) for 0 .. 249;
    $r->wait_all_responses;
    # Follows the cursor and gives all elements.
    my $all = sub {
      my ($method, @arguments) = @_;
      my ($cursor, @found) = (0);
      my @key = $method eq 'scan' ? () : shift @arguments;
      do {
        ($cursor, my $page) = $r->$method(@key, $cursor, @arguments);
        push @found, @$page;
      } while $cursor ne '0';
      return @found;
    };
    my %found = map { $_ => 1 } $all->('scan', 'MATCH', 'scan:*', 'COUNT', 30);
    expect([sort keys %found], [sort map { "scan:$_" } 0 .. 249]);
    my %fields = map { ("f$_" => $_) } 0 .. 249;
    $r->hset('scanned:hash', %fields);
    expect({$all->('hscan', 'scanned:hash', 'COUNT', 30)}, \%fields);
    $r->sadd('scanned:set', keys %fields);
    my %members = map { $_ => 1 } $all->('sscan', 'scanned:set');
    expect([sort keys %members], [sort keys %fields]);
    $r->zadd('scanned:zset', reverse %fields);
    expect({$all->('zscan', 'scanned:zset')}, \%fields);
  },
  errors => sub {
    my ($r) = @_;
    $r->set('errors:text', 'abc');
    expect_error('WRONGTYPE', sub { $r->lpush('errors:text', 'x') });
    expect_error('not an integer', sub { $r->incr('errors:text') });
    expect_error('unknown command', sub { $r->no_such_command('a') });
    expect_error('wrong number of arguments', sub { $r->get });
    expect($r->get('errors:text'), 'abc');
  },
  session => sub {
    my $own = connection(name => 'checker');
    expect($own->client_getname, 'checker');
    expect($own->client_setname('renamed'), 'OK');
    expect($own->client_getname, 'renamed');
    die "no client ID\n" unless $own->client_id > 0;
    die "no PONG\n" unless $own->ping;
    expect($own->echo("\0echo"), "\0echo");
    $own->quit;
  },
  databases => sub {
    my ($r) = @_;
    my $own = connection();
    expect($r->set('databases:a', 'zero'), 'OK');
    expect($own->select(1), 'OK');
    expect($own->get('databases:a'), undef);
    expect($own->set('databases:a', 'one'), 'OK');
    expect($r->get('databases:a'), 'zero');
    expect($own->get('databases:a'), 'one');
    expect_error('out of range', sub { $own->select(4711) });
    expect($own->select(0), 'OK');
    expect($own->get('databases:a'), 'zero');
    $own->quit;
  },
  pubsub => sub {
    my ($r) = @_;
    my $listener = connection();
    my @seen;
    my $gather = sub { my ($message, $topic, $subscribed) = @_; push @seen, [$subscribed, $topic, $message] };
    $listener->subscribe('pubsub:a', "pubsub:\xff\0", $gather);
    $listener->psubscribe('pubsub:p*', $gather);
    expect($r->publish('pubsub:a', 'one'), 1);
    expect($r->publish('pubsub:pattern', $all_bytes), 1);
    expect($r->publish("pubsub:\xff\0", 'three'), 1);
    wait_until(sub { $listener->wait_for_messages(1); @seen >= 3 });
    expect(
      \@seen,
      [
        ['pubsub:a', 'pubsub:a', 'one'], ['pubsub:p*', 'pubsub:pattern', $all_bytes],
        ["pubsub:\xff\0", "pubsub:\xff\0", 'three'],
      ]
    );
    $listener->unsubscribe('pubsub:a', $gather);
    expect($r->publish('pubsub:a', 'nobody'), 0);
    $listener->unsubscribe("pubsub:\xff\0", $gather);
    $listener->punsubscribe('pubsub:p*', $gather);
    expect($listener->get('pubsub:none'), undef);
    $listener->quit;
  },
);

my $client = connection();
for my $name (@checks) {
  $check{$name}->($client);
  say "ok $name";
}
say 'done';
