internal import RESP

/// The scripts that compute digests on the servers.
extension KeyDigest {
  /// The function `digest`, which returns the four parts of a key's digest, and its cost in bytes: an element of a
  /// collection counts as a hundred. Lua has no integers of 64 bits, so times are text. Scores are formatted again,
  /// since versions differ in the number of digits.
  ///
  /// The function `comparable` returns a string without what PFCOUNT writes into a HyperLogLog: the count, and whether
  /// it is outdated, in eight bytes of the header. It is a read, which one store alone may get. The header begins with
  /// HYLL and an encoding, 0 or 1; PFCOUNT refuses any other string.
  ///
  /// Fields of a hash that expire before a moment do not count: the servers are not asked at the same time, and a field
  /// that has expired may be there on one of them still. Those that have expired do not count anyway, though HLEN and
  /// EXISTS count them until they are removed.
  static let function = """
    \(KeyScript.functions)
    local max_bytes, max_elements, max_taken = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local least_moment = tonumber(ARGV[4])
    local sizes = {string = 'STRLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD', hash = 'HLEN', stream = 'XLEN'}
    local function comparable(value)
      if #value < 16 or string.sub(value, 1, 4) ~= 'HYLL' or string.byte(value, 5) > 1 then return value end
      return string.sub(value, 1, 8) .. '00000000' .. string.sub(value, 17)
    end
    local function digest(key)
      local kind = redis.call('TYPE', key).ok
      if kind == 'none' then return {kind, 0, '', '-1'}, 0 end
      local expiry = string.format('%.0f', deadline(key))
      if not sizes[kind] then return {kind, 0, '', expiry}, 0 end
      local size = redis.call(sizes[kind], key)
      local bytes = redis.pcall('MEMORY', 'USAGE', key)
      if type(bytes) ~= 'number' then bytes = 0 end
      if bytes > max_bytes or size > (kind == 'string' and max_bytes or max_elements) then
        return {kind, size, 'large', expiry}, 0
      end
      local parts, sum = {}, {0, 0, 0, 0}
      local function ordered(text) parts[#parts + 1] = #text .. ':' .. text end
      local function unordered(text)
        local hash = redis.sha1hex(text)
        for index = 1, 4 do
          sum[index] = (sum[index] + tonumber(string.sub(hash, index * 8 - 7, index * 8), 16)) % 4294967296
        end
      end
      if kind == 'string' then ordered(comparable(redis.call('GET', key)))
      elseif kind == 'list' then
        for _, element in ipairs(redis.call('LRANGE', key, 0, -1)) do ordered(element) end
      elseif kind == 'set' then
        for _, member in ipairs(redis.call('SMEMBERS', key)) do unordered(member) end
      elseif kind == 'zset' then
        local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
        for index = 1, #members, 2 do
          unordered(string.format('%.17g', tonumber(members[index + 1])) .. ':' .. members[index])
        end
      elseif kind == 'hash' then
        local pairs = redis.call('HGETALL', key)
        size = 0
        local expires = #pairs > 0 and not redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, pairs[1]).err
        for index = 1, #pairs, 2 do
          local text = #pairs[index] .. ':' .. pairs[index] .. pairs[index + 1]
          local moment = expires and redis.call('HPEXPIRETIME', key, 'FIELDS', 1, pairs[index])[1] or -1
          if moment > 0 then text = text .. string.format('@%.0f', moment) end
          if moment <= 0 or moment >= least_moment then
            size = size + 1
            unordered(text)
          end
        end
        if size == 0 then return {'none', 0, '', '-1'}, 0 end
      elseif kind == 'stream' then
        local stream = fields(redis.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0))
        ordered(stream['last-generated-id'])
        for _, entry in ipairs(stream.entries) do
          ordered(entry[1])
          for _, item in ipairs(entry[2]) do ordered(item) end
        end
        for _, list in ipairs(stream.groups) do
          local group = fields(list)
          unordered('group ' .. #group.name .. ':' .. group.name .. group['last-delivered-id'])
          for _, list in ipairs(group.consumers) do
            local consumer = fields(list)
            local name = #group.name .. ':' .. group.name .. #consumer.name .. ':' .. consumer.name
            unordered('consumer ' .. name)
            for _, pending in ipairs(consumer.pel or consumer.pending) do
              unordered('pending ' .. name .. pending[1])
            end
          end
        end
      end
      local taken = kind == 'string' and size or math.max(bytes, size * 100)
      return {kind, size, redis.sha1hex(table.concat(parts) .. '|' .. table.concat(sum, ',')), expiry}, taken
    end
    """

  /// Returns the digest of each key. The answer ends early, after the first keys that take too much together.
  static let script = """
    \(function)
    local digests, taken = {}, 0
    for index, key in ipairs(KEYS) do
      local found, more = digest(key)
      digests[index], taken = found, taken + more
      if taken > max_taken then break end
    end
    return digests
    """

  /// The command that gives a store the script. One that refuses it is compared by reading.
  static let load = ["SCRIPT", "LOAD", script]
  /// The SHA-1 of the script, by which servers know it. A test compares it with a server's.
  static let sha1: StaticString = "8a90f274cd5f76dbcf559c17a7fb5b62cac23df8"

  /// Appends the question about `keys` to `output`. The reply has a digest for each of them in their order, but may end
  /// early: after the first keys that take ``maxBytesTogether``.
  ///
  /// - Parameters:
  ///   - leastMoment: the moment before which a field must not expire to count, in Unix milliseconds.
  ///   - isLoaded: whether the server is expected to know the script.
  static func appendQuestion(
    about keys: ArraySlice<[UInt8]>,
    leastMoment: Int,
    isLoaded: Bool,
    to output: inout ByteBuffer
  ) {
    appendCall(isLoaded ? nil : script, sha1, keys, leastMoment: leastMoment, to: &output)
  }

  /// Appends a call of one of the scripts: by its text, or by its SHA-1 if there is none. They have the limits as
  /// arguments, and perhaps another one.
  static func appendCall(
    _ text: String?,
    _ sha1: StaticString,
    _ keys: ArraySlice<[UInt8]>,
    leastMoment: Int,
    _ more: Int? = nil,
    to output: inout ByteBuffer
  ) {
    output.appendCommand(expecting: (more == nil ? 7 : 8) + keys.count) { question in
      question.append(text == nil ? "EVALSHA" : "EVAL")
      if let text { question.append(text: text) } else { question.append(sha1) }
      question.append(decimal: keys.count)
      for key in keys { question.append(key.span) }
      question.append(decimal: maxBytes)
      question.append(decimal: maxElements)
      question.append(decimal: maxBytesTogether)
      question.append(decimal: leastMoment)
      if let more { question.append(decimal: more) }
    }
  }
}
