internal import Hiredis
internal import RESP

/// Makes the other store execute a write only if it has the keys: in one round trip, and atomically.
///
/// A command that moves an element from one key to another (LMOVE, SMOVE) is executed if the store has the first of
/// them: queues are long, and the list of items in progress is often empty. If the store lacked the second one, that is
/// a fragment now, and has to be copied whole.
///
/// It is a script, which each ordinary connection loads first. A store that loses it (SCRIPT FLUSH) refuses the write
/// with NOSCRIPT; the script is loaded again, and the whole keys are copied instead.
enum PresenceGuard {
  /// The script's reply in place of the command's if a key is missing. No command has this reply.
  private static let absent: StaticString = "MULTISTORE-ABSENT"
  /// The script's reply if the command was executed and its last key is a fragment.
  private static let fragment: StaticString = "MULTISTORE-FRAGMENT"

  /// The script. Its digest below has to change with it.
  static let script =
    "local lacks=false for i=1,#KEYS do if redis.call('EXISTS',KEYS[i])==0 then "
    + "if i<=tonumber(ARGV[1]) then return {ok='MULTISTORE-ABSENT'} end lacks=true end end "
    + "local reply=redis.call(unpack(ARGV,2)) if lacks then return {ok='MULTISTORE-FRAGMENT'} end return reply"
  /// The SHA-1 of the script, by which servers know it.
  static let digest: StaticString = "3d8af6c30214ee84d645c05c5e82c8da202b8826"

  /// The most arguments that are passed to Lua's `unpack`, which fails at about 8000.
  static let maxArguments = 4000

  /// The command that gives a store the script.
  static let load = ["SCRIPT", "LOAD", script]

  /// A call of the script that does nothing. A server whose writes hang or are paused does not answer it, as it would
  /// not answer a write.
  static let probe = CommandWriter.command("EVALSHA", digest.description, "0", "0", "PING")

  /// Appends to `output` the call of the script for `command`.
  ///
  /// - Returns: false if the command is too long for a script.
  static func wrap(_ command: Span<UInt8>, into output: inout ByteBuffer) -> Bool {
    let arguments = ArgumentCursor(command)
    guard arguments.count <= maxArguments, let name = arguments.argument(at: 0) else { return false }
    guard let second = arguments.argument(at: 1) else { return false }
    let spec = CommandTable.spec(CommandTable.lookup(name, subcommand: second))
    output.appendGuardCall(of: digest, for: command, spec) { keyCount, call in
      call.append(decimal: spec.traits.contains(.moves) ? 1 : keyCount)
    }
    return true
  }

  /// Whether `reply` says that the command was executed, and that its last key is a fragment.
  static func leftFragment(_ reply: borrowing Reply) -> Bool {
    reply.kind == .status && reply.bytes.hasSameBytes(as: fragment)
  }

  /// Whether `reply` says that the command was not executed because a key is missing, or that the script is.
  static func wasSkipped(_ reply: borrowing Reply) -> Bool {
    switch reply.kind {
    case .status: reply.bytes.hasSameBytes(as: absent)
    case .error:
      switch reply.knownErrorCode {
      case .noScript, .noPermission: true
      default: false
      }
    default: false
    }
  }
}
