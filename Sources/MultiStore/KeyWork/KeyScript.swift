/// Lua functions that the scripts about whole keys share.
enum KeyScript {
  /// `fields` makes a table of a list of names and values, as XINFO returns them. `deadline` returns the expiry time of
  /// a key, in Unix milliseconds; a negative number for never, and for a missing key. Servers before Redis 7.0 have no
  /// PEXPIRETIME.
  static let functions = """
    local function fields(list)
      local map = {}
      for index = 1, #list, 2 do map[list[index]] = list[index + 1] end
      return map
    end
    local function deadline(key)
      local expiry = redis.pcall('PEXPIRETIME', key)
      if type(expiry) == 'number' then return expiry end
      expiry = redis.call('PTTL', key)
      local now = redis.call('TIME')
      if expiry > 0 then expiry = expiry + now[1] * 1000 + math.floor(now[2] / 1000) end
      return expiry
    end
    """
}
