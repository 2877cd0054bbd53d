internal import Hiredis
internal import RESP

/// Makes the default store execute a write only if it has all of its keys, with the same reply as without the guard: in
/// one round trip, and atomically.
///
/// It is a script, which returns all replies unchanged except for integers beyond 2^53: a counter that may get there is
/// not changed. Each ordinary connection loads it first.
enum ExactGuard {
  /// The script's reply in place of the command's if that was not executed. No command has this reply.
  private static let skipped: StaticString = "MULTISTORE-SKIPPED"

  /// The script. Its digest below has to change with it.
  static let script =
    "for i=1,#KEYS do if redis.call('EXISTS',KEYS[i])==0 then return {ok='MULTISTORE-SKIPPED'} end end "
    + "local v=nil if ARGV[1]=='GET' then v=redis.pcall('GET',KEYS[1]) "
    + "elseif ARGV[1]=='HGET' then v=redis.pcall('HGET',KEYS[1],ARGV[4]) end "
    + "if type(v)=='string' and #v>15 then return {ok='MULTISTORE-SKIPPED'} end "
    + "return redis.pcall(unpack(ARGV,2))"
  /// The SHA-1 of the script, by which servers know it.
  static let digest: StaticString = "0bb51d361efe83018e9eb33c8894ec321d52bd75"

  /// The command that gives a store the script.
  static let load = ["SCRIPT", "LOAD", script]

  /// The longest decimal number, sign included, of which the sum with another one stays below 2^53.
  private static let longestNumber = 15

  /// Whether the script can execute `command`, and answer exactly.
  static func isPossible(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    let arguments = ArgumentCursor(command)
    // BITFIELD has any number of counters.
    guard arguments.count <= PresenceGuard.maxArguments, spec.id != .bitfield else { return false }
    guard counter(spec) != .none, arguments.count > 2 else { return true }
    guard let amount = arguments.argument(at: arguments.count - 1) else { return false }
    return amount.count <= longestNumber
  }

  /// Appends to `output` the call of the script for `command`.
  static func wrap(_ command: Span<UInt8>, _ spec: CommandSpec, into output: inout ByteBuffer) {
    output.appendGuardCall(of: digest, for: command, spec) { _, call in
      switch counter(spec) {
      case .none: call.append("")
      case .string: call.append("GET")
      case .field: call.append("HGET")
      }
    }
  }

  /// The counter that a command changes, if its reply may be a large integer.
  private enum Counter { case none, string, field }

  private static func counter(_ spec: CommandSpec) -> Counter {
    switch spec.id {
    case .incr, .decr, .incrby, .decrby: .string
    case .hincrby: .field
    default: .none
    }
  }

  /// Whether `reply` says that the command was not executed, or that the script is missing or not permitted, or may not
  /// call the command.
  static func wasSkipped(_ reply: borrowing Reply) -> Bool {
    switch reply.kind {
    case .status: reply.bytes.hasSameBytes(as: skipped)
    case .error: isMissing(reply) || reply.knownErrorCode == .noPermission || isScriptsOwn(reply)
    default: false
    }
  }

  /// Whether the error is that of a script and not of the command: the server does not know the command, or permits it
  /// in no script. Nothing was executed, and outside of a script the error has another text.
  private static func isScriptsOwn(_ reply: borrowing Reply) -> Bool {
    reply.knownErrorCode == .generic && String(decoding: reply.bytes.array, as: UTF8.self).contains("script")
  }

  /// Whether the server does not know the script.
  static func isMissing(_ reply: borrowing Reply) -> Bool { reply.kind == .error && reply.knownErrorCode == .noScript }
}
