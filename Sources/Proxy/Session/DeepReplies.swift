internal import RESP

/// Commands that once had a reply nested deeper than hiredis can read, which ended the connection that it came on.
/// Afterwards each gets a connection of its own that hiredis does not read. Loop-confined.
struct DeepReplies {
  /// The most commands that are remembered. A forgotten one costs one more connection when it is executed again.
  private static let limit = 1024

  private var identities: Set<Int> = []

  func contains(_ identity: Int) -> Bool {
    !identities.isEmpty && identities.contains(identity)
  }

  mutating func insert(_ identity: Int) {
    if identities.count >= Self.limit { identities.removeFirst() }
    identities.insert(identity)
  }

  /// Returns an identity for all calls of the same command, or of the same script or function; never 0. A client can't
  /// choose it, since the hash is keyed per process.
  static func identity(of command: Span<UInt8>, _ spec: CommandSpec) -> Int {
    var hasher = Hasher()
    hasher.combine(spec.id)
    let arguments = ArgumentCursor(command)
    let index = spec.id == .other ? 0 : 1
    if spec.id == .other || spec.commandClass == .script, let name = arguments.argument(at: index) {
      // The argument outlives the call, and only its own bytes are read.
      unsafe name.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
    return hasher.finalize() | 1
  }
}
