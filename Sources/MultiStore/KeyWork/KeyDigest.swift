internal import Hiredis
internal import RESP

/// A key as a digest that a script computes on its server, so that two stores are compared without transferring values.
/// The script has the same result on each version of Redis and Valkey.
///
/// Encodings do not matter, nor the order of sets and hashes. For a stream the entries, the groups, their consumers and
/// the pending entries count, but not the times of their delivery.
struct KeyDigest: Equatable {
  /// The most bytes that a key may take for its digest to be computed, and the most elements: a few milliseconds of the
  /// server's time.
  static let maxBytes = 1 << 20
  static let maxElements = 10_000

  /// The time before its expiry in which a key is neither equal nor different, in milliseconds.
  private static let lastMoments = 2_000
  /// The largest difference between the expiry times of equal keys, in milliseconds.
  private static let expiryTolerance = 1_000

  /// The type as TYPE reports it; `none` for a missing key.
  let type: String
  /// The bytes of a string, or the number of elements of any other type.
  let size: Int
  /// The digest of the contents; `large` if they are too large, and empty for a module's type.
  let digest: String
  /// The expiry time in Unix milliseconds; -1 for never.
  let expiry: Int

  /// The result of comparing two stores' keys.
  enum Comparison: Equatable {
    case equal
    case different
    /// One of them is about to expire.
    case expiring
    /// Their contents are too large for a digest, or of a module's type, and everything else is equal.
    case unknown
  }

  /// Compares the keys of two stores.
  ///
  /// - Parameter now: Unix milliseconds.
  func compared(to other: KeyDigest, now: Int) -> Comparison {
    let ends = [expiry, other.expiry].filter { $0 >= 0 }
    if ends.contains(where: { $0 - now < Self.lastMoments }) { return .expiring }
    guard type == other.type, size == other.size, (expiry < 0) == (other.expiry < 0),
      abs(expiry - other.expiry) <= Self.expiryTolerance
    else { return .different }
    // Servers need different amounts of memory for the same value, so that it may be too large on one of them.
    if isLarge || other.isLarge || digest.isEmpty && !isMissing { return .unknown }
    return digest == other.digest ? .equal : .different
  }

  /// The name of the kind of difference between the keys of two stores, if they are ``Comparison/different``.
  ///
  /// - Parameter other: the key on the store that is not the default.
  func difference(from other: KeyDigest) -> KeyDifference {
    if other.isMissing { return .missing }
    if isMissing { return .extra }
    if type != other.type { return .type }
    return size == other.size && digest == other.digest ? .expiry : .value
  }

  /// Whether its contents are too large for a digest.
  private var isLarge: Bool { digest == "large" }

  /// Whether the store has no such key.
  var isMissing: Bool { type == "none" }

  /// Appends the question about `keys` to `output`. The reply has a digest for each of them in their order, but may end
  /// early: after the first keys that take ``maxBytes`` together.
  ///
  /// - Parameter isLoaded: whether the server is expected to know the script.
  static func appendQuestion(about keys: ArraySlice<[UInt8]>, isLoaded: Bool, to output: inout ByteBuffer) {
    output.appendCommand(expecting: 5 + keys.count) { question in
      question.append(isLoaded ? "EVALSHA" : "EVAL")
      if isLoaded { question.append(sha1) } else { question.append(text: script) }
      question.append(decimal: keys.count)
      for key in keys { question.append(key.span) }
      question.append(decimal: maxBytes)
      question.append(decimal: maxElements)
    }
  }

  /// The command that gives a store the script. One that refuses it is compared by reading.
  static let load = ["SCRIPT", "LOAD", script]
  /// The SHA-1 of the script, by which servers know it. A test compares it with a server's.
  static let sha1: StaticString = "7d35f6988ae57bc63c8a4f7a792c42862200bdfc"

  init(type: String, size: Int, digest: String, expiry: Int) {
    (self.type, self.size, self.digest, self.expiry) = (type, size, digest, expiry)
  }

  /// Nil for a reply that is something else, such as an error.
  init?(_ reply: borrowing Reply) {
    guard reply.kind == .array, reply.count == 4 else { return nil }
    func text(_ index: Int) -> String { String(decoding: reply[index].bytes.array, as: UTF8.self) }
    type = text(0)
    size = reply[1].integer
    digest = text(2)
    expiry = Int(text(3)) ?? -1
  }

  /// The script. Lua has no integers of 64 bits, so times are text. Scores are formatted again, since versions differ
  /// in the number of digits.
  static let script = """
    \(KeyScript.functions)
    local max_bytes, max_elements = tonumber(ARGV[1]), tonumber(ARGV[2])
    local sizes = {string = 'STRLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD', hash = 'HLEN', stream = 'XLEN'}
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
      if kind == 'string' then ordered(redis.call('GET', key))
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
        local expires = size > 0 and not redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, pairs[1]).err
        for index = 1, #pairs, 2 do
          local text = #pairs[index] .. ':' .. pairs[index] .. pairs[index + 1]
          if expires then
            local moment = redis.call('HPEXPIRETIME', key, 'FIELDS', 1, pairs[index])[1]
            if moment > 0 then text = text .. string.format('@%.0f', moment) end
          end
          unordered(text)
        end
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
      return {kind, size, redis.sha1hex(table.concat(parts) .. '|' .. table.concat(sum, ',')), expiry}, bytes
    end
    local digests, bytes = {}, 0
    for index, key in ipairs(KEYS) do
      local found, taken = digest(key)
      digests[index], bytes = found, bytes + taken
      if bytes > max_bytes then break end
    end
    return digests
    """
}
