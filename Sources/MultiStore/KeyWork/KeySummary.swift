internal import Hiredis
internal import RESP

/// Several keys as one digest that a script computes on their server: stores that hold the same are compared by one
/// short reply for many keys. If two summaries differ, the keys are compared one by one; see ``KeyDigest``.
struct KeySummary: Equatable {
  /// The keys that it is of: the first ones of those that were asked for.
  let count: Int
  /// The time at which the first of them expires, in Unix milliseconds; 0 for never.
  let firstExpiry: Int
  /// The digest of all of them; empty if one of them has none, or they have too many elements together.
  let digest: String
  /// Whether they are short strings, all of them.
  let areShort: Bool

  /// Nil for a reply that is something else, such as an error.
  init?(_ reply: borrowing Reply) {
    guard reply.kind == .array, reply.count == 4 else { return nil }
    count = reply[0].integer
    firstExpiry = Int(String(decoding: reply[1].bytes.array, as: UTF8.self)) ?? 0
    digest = String(decoding: reply[2].bytes.array, as: UTF8.self)
    areShort = reply[3].integer == 1
  }

  /// Whether the keys of two stores are equal for certain.
  ///
  /// - Parameter now: Unix milliseconds.
  func proves(_ other: KeySummary, now: Int) -> Bool {
    self == other && !digest.isEmpty && (firstExpiry == 0 || firstExpiry - now >= KeyDigest.lastMoments)
  }

  /// The script. Short strings, of which most databases have most, are read together: a call of a command costs a
  /// script more than they do. They are not asked for their expiry where no key of the server expires.
  ///
  /// Where the default store has short strings alone, the other store is not asked for sizes. It reads a few keys at a
  /// time then, and ends when they are larger than they should be.
  static let script = """
    \(KeyDigest.function)
    local keyspace = redis.pcall('INFO', 'keyspace')
    local expires = type(keyspace) ~= 'string' or string.find(keyspace, 'expires=[1-9]')
    local areShort = ARGV[5] == '1'
    local short, rest, count, taken, step = {}, {}, #KEYS, 0, 128
    if areShort then
      short, step = KEYS, 16
    else
      for index = 1, #KEYS do
        local key = KEYS[index]
        local bytes = redis.pcall('MEMORY', 'USAGE', key)
        if type(bytes) == 'number' and bytes <= 4096 then
          short[#short + 1], taken = key, taken + bytes
        else
          rest[#rest + 1] = key
          if type(bytes) == 'number' and bytes <= max_bytes then taken = taken + bytes end
        end
        if taken > max_taken then
          count = index
          break
        end
      end
    end
    local contents, lengths, first, digits = {}, {}, 0, {}
    local function at(expiry)
      if expiry <= 0 then return '' end
      if first == 0 or expiry < first then first = expiry end
      return string.format('@%.0f', expiry)
    end
    taken = 0
    for start = 1, #short, step do
      local last = math.min(#short, start + step - 1)
      local values = redis.pcall('MGET', unpack(short, start, last))
      for index = start, last do
        local value = values[index - start + 1]
        if value then
          local size = #value
          local text = digits[size]
          if not text then
            text = string.format('%.0f', size)
            digits[size] = text
          end
          taken, contents[index] = taken + size, comparable(value)
          lengths[index] = expires and text .. at(deadline(short[index])) or text
        else
          contents[index], lengths[index], rest[#rest + 1] = '', '', short[index]
        end
      end
      if taken > 2 * max_taken then return {count, '0', '', 0} end
    end
    local areAllShort, parts = #rest == 0 and 1 or 0, {}
    taken = 0
    for index = 1, #rest do
      if taken > max_taken then return {count, '0', '', 0} end
      local found, more = digest(rest[index])
      taken = taken + more
      if found[3] == 'large' or found[3] == '' and found[1] ~= 'none' then return {count, '0', '', 0} end
      parts[index] = found[1] .. ' ' .. found[2] .. ':' .. found[3] .. at(tonumber(found[4]))
    end
    local text = table.concat(lengths, ',') .. '|' .. table.concat(parts, ',') .. '|' .. table.concat(contents)
    return {count, string.format('%.0f', first), redis.sha1hex(text), areAllShort}
    """

  /// The command that gives a store the script.
  static let load = ["SCRIPT", "LOAD", script]
  /// The SHA-1 of the script. A test compares it with a server's.
  static let sha1: StaticString = "19f617a979e515d12cb67cb2d1dd4b521ad00804"

  /// Appends the question about `keys` to `output`.
  ///
  /// - Parameters:
  ///   - leastMoment: the moment before which a hash's field must not expire to count, in Unix milliseconds.
  ///   - areShort: whether they are short strings on the default store, and should be here.
  ///   - isLoaded: whether the server is expected to know the script.
  static func appendQuestion(
    about keys: ArraySlice<[UInt8]>,
    leastMoment: Int,
    areShort: Bool,
    isLoaded: Bool,
    to output: inout ByteBuffer
  ) {
    KeyDigest.appendCall(isLoaded ? nil : script, sha1, keys, leastMoment: leastMoment, areShort ? 1 : 0, to: &output)
  }
}
