extension ReplyCase {
  private static let library = load(#"redis.register_function("f",function() return {1,false,"a"} end)"#)
  private static let readOnlyLibrary = load(
    #"redis.register_function{function_name="f",flags={"no-writes","allow-stale"},description="d","#
      + #"callback=function() return {1,false,"a"} end}"#
  )
  private static let otherLibrary = load(
    #"redis.register_function("g",function() return 1 end)\nredis.register_function("h",function() return 1 end)"#,
    name: "other"
  )

  private static func load(_ code: String, name: String = "lib") -> String {
    "FUNCTION LOAD '#!lua name=\(name)\\n\(code)'"
  }

  static let scripts = [
    ReplyCase("EVAL 'return 1' 0"),
    ReplyCase("EVAL 'return nil' 0"),
    ReplyCase("EVAL 'return false' 0"),
    ReplyCase("EVAL 'return true' 0"),
    ReplyCase(#"EVAL 'return {1,"a",{2,false,{ok="fine"}}}' 0"#),
    ReplyCase("EVAL 'return {}' 0"),
    ReplyCase("EVAL 'return {1,nil,3}' 0"),
    ReplyCase("EVAL 'return 3.99' 0"),
    ReplyCase("EVAL 'return {double=3.5}' 0", varies: .form),
    ReplyCase("EVAL 'return {map={a=1}}' 0", varies: .form),
    ReplyCase("EVAL 'return {set={a=true}}' 0", varies: .form),
    ReplyCase(#"EVAL 'return {err="ERR mine"}' 0"#),
    ReplyCase(#"EVAL 'return redis.status_reply("x")' 0"#),
    ReplyCase(#"EVAL 'return redis.call("hgetall",KEYS[1])' 1 k"#, "HSET k f v"),
    ReplyCase(#"EVAL 'return redis.call("smembers",KEYS[1])' 1 k"#, "SADD k v"),
    ReplyCase(#"EVAL 'return redis.call("zscore",KEYS[1],"a")' 1 k"#, "ZADD k 1.5 a"),
    ReplyCase(#"EVAL 'return redis.call("get",KEYS[1])' 1 k"#),
    ReplyCase(#"EVAL 'return redis.call("mget",KEYS[1],KEYS[1])' 1 k"#),
    ReplyCase(#"EVAL 'return redis.call("lpop",KEYS[1],2)' 1 k"#),
    ReplyCase(#"EVAL 'return redis.call("zrange",KEYS[1],0,-1,"withscores")' 1 k"#, "ZADD k 1.5 a"),
    ReplyCase(#"EVAL 'return redis.call("xread","streams",KEYS[1],0)' 1 k"#, "XADD k 1-1 a b"),
    ReplyCase(#"EVAL 'return redis.call("info","server")' 0"#, varies: .contents),
    ReplyCase(#"EVAL 'redis.setresp(3);return redis.call("hgetall",KEYS[1])' 1 k"#, "HSET k f v", varies: .form),
    ReplyCase(#"EVAL 'redis.setresp(3);return redis.call("smembers",KEYS[1])' 1 k"#, "SADD k v", varies: .form),
    ReplyCase(#"EVAL 'redis.setresp(3);return redis.call("zscore",KEYS[1],"a")' 1 k"#, "ZADD k 1.5 a", varies: .form),
    ReplyCase(#"EVAL_RO 'return redis.call("get",KEYS[1])' 1 k"#),
    ReplyCase("EVALSHA nonsense 0"),
    ReplyCase("EVALSHA 9b41a9b69ab7b6a2c0ac6b1f9c3f5a3a3c0ab0d1 0"),
    ReplyCase("EVALSHA_RO nonsense 0"),
    ReplyCase("FCALL f 0", library),
    ReplyCase("FCALL f 0"),
    ReplyCase("FCALL_RO f 0", readOnlyLibrary),
    ReplyCase("FUNCTION DELETE lib"),
    ReplyCase("FUNCTION DELETE lib", library),
    ReplyCase("FUNCTION DUMP"),
    ReplyCase("FUNCTION FLUSH"),
    ReplyCase("FUNCTION HELP"),
    ReplyCase("FUNCTION KILL"),
    ReplyCase("FUNCTION LIST"),
    ReplyCase("FUNCTION LIST", readOnlyLibrary),
    ReplyCase("FUNCTION LIST WITHCODE", library, otherLibrary, varies: .order),
    ReplyCase("FUNCTION LIST LIBRARYNAME lib*", library),
    ReplyCase(library),
    ReplyCase("FUNCTION RESTORE nonsense"),
    ReplyCase("FUNCTION STATS"),
    ReplyCase("FUNCTION STATS", library),
    ReplyCase("FUNCTION NONSENSE"),
    ReplyCase("SCRIPT EXISTS a b"),
    ReplyCase("SCRIPT FLUSH"),
    ReplyCase("SCRIPT HELP"),
    ReplyCase("SCRIPT KILL"),
    ReplyCase("SCRIPT LOAD 'return 1'"),
    ReplyCase("SCRIPT NONSENSE"),
    ReplyCase("SCRIPT SHOW a"),
    ReplyCase("SCRIPT SHOW e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "SCRIPT LOAD 'return 1'"),
  ]
}
