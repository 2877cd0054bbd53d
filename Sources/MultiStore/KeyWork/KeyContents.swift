internal import Hiredis
internal import RESP

/// A key as the commands that make it, for a store that can't read the other one's dumps: DUMP has a format for each
/// version, and a server accepts none that is newer than its own.
///
/// A script on the store that has the key makes them, so that they are a consistent snapshot. They begin with DEL. A
/// module's type can only be dumped. The time at which a consumer was seen last is lost.
enum KeyContents {
  /// The script that makes the commands. XINFO calls the entries that a consumer has not acknowledged `pending` in
  /// Redis 7.0, and `pel` in later servers. One that is not in the stream any more has to exist there while it is
  /// claimed.
  static let script = """
    \(KeyScript.functions)
    local key = KEYS[1]
    local commands = {{'DEL', key}}
    local function add(name, items)
      for first = 1, #items, 1000 do
        local command = {name, key}
        for index = first, math.min(first + 999, #items) do command[#command + 1] = items[index] end
        commands[#commands + 1] = command
      end
    end
    local function number(value) return string.format('%.0f', value) end
    local kind = redis.call('TYPE', key).ok
    if kind == 'string' then commands[2] = {'SET', key, redis.call('GET', key)}
    elseif kind == 'list' then add('RPUSH', redis.call('LRANGE', key, 0, -1))
    elseif kind == 'set' then add('SADD', redis.call('SMEMBERS', key))
    elseif kind == 'zset' then
      local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
      for index = 1, #members, 2 do members[index], members[index + 1] = members[index + 1], members[index] end
      add('ZADD', members)
    elseif kind == 'hash' then
      local pairs = redis.call('HGETALL', key)
      add('HSET', pairs)
      for index = 1, #pairs, 2 do
        local expiry = redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, pairs[index])
        if expiry.err then break end
        if expiry[1] > 0 then
          commands[#commands + 1] = {'HPEXPIREAT', key, number(expiry[1]), 'FIELDS', '1', pairs[index]}
        end
      end
    elseif kind == 'stream' then
      local stream = fields(redis.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0))
      local entries, present, gone, groups = stream.entries, {}, {}, {}
      for _, entry in ipairs(entries) do present[entry[1]] = true end
      for _, list in ipairs(stream.groups) do
        local group = fields(list)
        local create = {'XGROUP', 'CREATE', key, group.name, group['last-delivered-id']}
        if group['entries-read'] then create[6], create[7] = 'ENTRIESREAD', number(group['entries-read']) end
        groups[#groups + 1] = create
        for _, list in ipairs(group.consumers) do
          local consumer = fields(list)
          groups[#groups + 1] = {'XGROUP', 'CREATECONSUMER', key, group.name, consumer.name}
          for _, pending in ipairs(consumer.pel or consumer.pending) do
            local id = pending[1]
            if not present[id] then
              present[id], gone[#gone + 1], entries[#entries + 1] = true, id, {id, {'', ''}}
            end
            groups[#groups + 1] = {
              'XCLAIM', key, group.name, consumer.name, '0', id,
              'TIME', number(pending[2]), 'RETRYCOUNT', number(pending[3]), 'FORCE', 'JUSTID'
            }
          end
        end
      end
      local function place(id)
        local time, number = string.match(id, '(%d+)-(%d+)')
        return string.rep('0', 20 - #time) .. time .. string.rep('0', 20 - #number) .. number
      end
      if #gone > 0 then table.sort(entries, function(a, b) return place(a[1]) < place(b[1]) end) end
      for _, entry in ipairs(entries) do
        local command = {'XADD', key, entry[1]}
        for _, item in ipairs(entry[2]) do command[#command + 1] = item end
        commands[#commands + 1] = command
      end
      if #entries == 0 then commands[2] = {'XADD', key, 'MAXLEN', '0', '0-1', '', ''} end
      for _, command in ipairs(groups) do commands[#commands + 1] = command end
      add('XDEL', gone)
      local last = {'XSETID', key, stream['last-generated-id']}
      if stream['entries-added'] then
        last[4], last[5] = 'ENTRIESADDED', number(stream['entries-added'])
        last[6], last[7] = 'MAXDELETEDID', stream['max-deleted-entry-id']
      end
      commands[#commands + 1] = last
    elseif kind ~= 'none' then return redis.error_reply("NOCONTENTS a module's type")
    end
    local expiry = deadline(key)
    if expiry > 0 then commands[#commands + 1] = {'PEXPIREAT', key, number(expiry)} end
    return commands
    """

  /// Appends to `output` the question for the commands that make `key`.
  static func appendQuestion(about key: Span<UInt8>, to output: inout ByteBuffer) {
    output.appendCommand(expecting: 4) { question in
      question.append("EVAL")
      question.append(text: script)
      question.append(decimal: 1)
      question.append(key)
    }
  }

  /// The names of the commands that begin with the key, and of the one that has a subcommand before it.
  private static let names: [StaticString] = [
    "DEL", "SET", "RPUSH", "SADD", "ZADD", "HSET", "HPEXPIREAT", "XADD", "XCLAIM", "XDEL", "XSETID", "PEXPIREAT",
  ]
  private static let nameBeforeSubcommand: StaticString = "XGROUP"

  /// Whether `contents`, the answer to the question about `key`, are commands as the script makes them, about that key
  /// alone. They are executed as they are: a server that answers anything else must not have its will.
  static func areCommands(_ contents: borrowing Reply, about key: [UInt8]) -> Bool {
    guard contents.kind == .array, contents.count > 0 else { return false }
    for index in 0..<contents.count {
      let command = contents[index]
      guard command.kind == .array, command.count >= 2 else { return false }
      for part in 0..<command.count where command[part].kind != .string { return false }
      let name = command[0].bytes
      let place = name.hasSameBytes(as: nameBeforeSubcommand) ? 2 : 1
      guard place < command.count, command[place].bytes.hasSameBytes(as: key.span) else { return false }
      var isKnown = place == 2
      for known in names where name.hasSameBytes(as: known) { isKnown = true }
      guard isKnown else { return false }
    }
    return true
  }

  /// The script that executes the commands on the other store unless that has the key: each command is a number of
  /// arguments and these. After an error nothing is left of the key; a command may have more arguments than Lua can
  /// unpack.
  private static let storingScript = """
    local key = KEYS[1]
    if redis.call('EXISTS', key) == 1 then return 0 end
    local index = 1
    while index <= #ARGV do
      local count = tonumber(ARGV[index])
      local isDone, result = pcall(function() return redis.call(unpack(ARGV, index + 1, index + count)) end)
      if not isDone then
        redis.call('DEL', key)
        return type(result) == 'table' and result or redis.error_reply(tostring(result))
      end
      index = index + count + 1
    end
    return 1
    """

  /// The most arguments of a command that every server takes: 1024 * 1024 up to Redis 6.2.
  private static let maxArguments = 1 << 20

  /// Whether the command that stores `contents` has no more arguments than every server takes.
  static func fitsScript(_ contents: borrowing Reply) -> Bool { argumentCount(ofStoring: contents) <= maxArguments }

  private static func argumentCount(ofStoring contents: borrowing Reply) -> Int {
    let contents = copy contents
    return (1..<contents.count).reduce(4) { $0 + 1 + contents[$1].count }
  }

  /// Appends to `output` the command that stores `key` where it is missing. Its reply is 1 if it was, and 0 if not.
  ///
  /// - Parameter contents: the answer to the question, of a key that exists.
  static func appendStoring(_ contents: borrowing Reply, as key: Span<UInt8>, to output: inout ByteBuffer) {
    let count = argumentCount(ofStoring: contents)
    let contents = copy contents
    output.appendCommand(expecting: count) { storing in
      storing.append("EVAL")
      storing.append(text: storingScript)
      storing.append(decimal: 1)
      storing.append(key)
      // Without the DEL.
      for index in 1..<contents.count {
        let command = contents[index]
        storing.append(decimal: command.count)
        for part in 0..<command.count { storing.append(command[part].bytes) }
      }
    }
  }

  /// The failure, if `reply` to EXEC shows that not all of the commands were executed; nil otherwise.
  static func failure(_ reply: borrowing Reply) -> CopyFailure? {
    guard reply.kind == .array else { return CopyFailure(reply) }
    for index in 0..<reply.count where reply[index].kind == .error { return CopyFailure(reply[index]) }
    return nil
  }
}
