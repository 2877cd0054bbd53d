internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("The functions that both stores may execute")
struct KnownFunctionsTests {
  /// A command that loads a library with one function.
  private static func load(_ function: String, calling command: String) -> [UInt8] {
    let body = "redis.register_function('\(function)', function() return redis.call('\(command)') end)"
    return RESPClient.encode(["FUNCTION", "LOAD", "REPLACE", "#!lua name=\(function)\n\(body)"])
  }

  private func function(_ name: String, in functions: KnownFunctions) -> KnownFunctions.Function {
    functions.function(of: encoded("FCALL \(name) 0").span)
  }

  @Test func `are known by the libraries that the store has loaded`() {
    let functions = KnownFunctions()
    functions.note(Self.load("count", calling: "DBSIZE").span, isLoaded: true)
    #expect(function("count", in: functions) == .repeatable)
    #expect(function("other", in: functions) == .unknown)
    functions.forget()
    #expect(function("count", in: functions) == .unknown)
  }

  @Test func `are not added by a library that the store may refuse`() {
    let functions = KnownFunctions()
    functions.note(Self.load("count", calling: "DBSIZE").span, isLoaded: false)
    #expect(function("count", in: functions) == .unknown)
    functions.note(Self.load("count", calling: "DBSIZE").span, isLoaded: true)
    functions.note(Self.load("count", calling: "TIME").span, isLoaded: false)
    #expect(function("count", in: functions) == .unrepeatable("TIME"))
  }

  @Test func `are not added by the text of another library`() {
    let functions = KnownFunctions()
    functions.note(Self.load("now", calling: "TIME").span, isLoaded: true)
    functions.note(Self.load("other", calling: "now").span, isLoaded: true)
    #expect(function("now", in: functions) == .unrepeatable("TIME"))
    #expect(function("other", in: functions) == .repeatable)
  }
}
