/// Functions of Lua that the scripts about whole keys share.
enum KeyScript {
  /// `fields` makes a table of a list of names and values, as XINFO gives them. `deadline` tells when a key expires, in
  /// Unix milliseconds; below zero for never, and for a key that is not there. Servers before Redis 7.0 do not know
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
