internal import Hiredis
internal import RESP

/// Has the other store execute a write only where it has the keys: one round trip, and nothing can come between.
///
/// A script does it. Each ordinary connection loads it first; a store that loses it (SCRIPT FLUSH) refuses the write
/// with NOSCRIPT, is given the script again, and gets the whole keys instead.
enum PresenceGuard {
  /// What the script answers in place of the command when a key is missing. No command answers this.
  private static let absent: StaticString = "MULTISTORE-ABSENT"

  /// The script. Its digest below has to change with it.
  static let script =
    "for i=1,#KEYS do if redis.call('EXISTS',KEYS[i])==0 then return {ok='MULTISTORE-ABSENT'} end end "
    + "return redis.call(unpack(ARGV))"
  /// The SHA-1 of the script, by which servers know it.
  static let digest = "bb36175017113ea92f8e020ff38d992f6a171645"

  /// Arguments that Lua's `unpack` puts on its stack without complaint; it gives up at about 8000.
  static let maxArguments = 4000

  /// The command that gives a store the script.
  static let load = ["SCRIPT", "LOAD", script]

  /// Appends to `output` the call of the script for `command`.
  ///
  /// - Returns: false if the command is too long for a script.
  static func wrap(_ command: Span<UInt8>, into output: inout ByteBuffer) -> Bool {
    var arguments = ArgumentCursor(command)
    guard arguments.count <= maxArguments, let name = arguments.argument(at: 0) else { return false }
    guard let second = arguments.argument(at: 1) else { return false }
    let spec = CommandTable.spec(CommandTable.lookup(name, subcommand: second))
    var keyCount = 0
    spec.forEachKey(ofCommand: command) { _ in keyCount += 1 }
    output.appendArrayHeader(3 + keyCount + arguments.count)
    output.appendBulk("EVALSHA")
    output.appendBulk(digest)
    output.appendBulk(decimal: keyCount)
    spec.forEachKey(ofCommand: command) { output.appendBulk($0) }
    while let argument = arguments.next() { output.appendBulk(argument) }
    return true
  }

  /// True when `reply` says that the command was not executed because a key is missing, or that the script is.
  static func wasSkipped(_ reply: borrowing Reply) -> Bool {
    switch reply.kind {
    case .status: reply.bytes.hasSameBytes(as: absent)
    case .error: reply.errorCode == "NOSCRIPT" || reply.errorCode == "NOPERM"
    default: false
    }
  }
}

/// Takes the reply to SCRIPT LOAD. A store that refuses scripts goes on getting whole keys, so that nothing has to be
/// done about a failure here.
final class PresenceGuardLoading: ReplyReceiver, Sendable {
  static let shared = PresenceGuardLoading()

  func receive(_ reply: borrowing Reply, token: Int) {}

  func receive(failure: ConnectionFailure, token: Int) {}
}
