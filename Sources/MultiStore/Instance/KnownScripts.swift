internal import Hiredis
internal import RESP

/// The scripts that clients have loaded into the default store, so that they can be loaded into the next one too: a
/// client that loads a script once and then calls it by its digest would get NOSCRIPT after a flip. Loop-confined.
struct KnownScripts {
  /// The most scripts: more than any application has by design. Applications that generate a script for each call never
  /// call it again.
  static let maxCount = 1_000
  static let maxBytes = 4 << 20

  private var bodies: [[UInt8]] = []
  private var byteCount = 0
  /// Hashes of the bodies, so that a known script is found without a copy of it.
  private var hashes: Set<Int> = []

  /// Records the effect of a client's command on the scripts.
  ///
  /// - Returns: false if its script had to be left out because there are too many.
  mutating func note(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard spec.commandClass == .script else { return true }
    let place: Int
    switch spec.id {
    case .eval, .evalReadOnly: place = 1
    case .scriptLoad: place = 2
    case .scriptFlush:
      removeAll()
      return true
    default: return true
    }
    guard let body = ArgumentCursor(command).argument(at: place) else { return true }
    return insert(body)
  }

  /// Loads all scripts into `store`, over each connection that may get a call of one next.
  func load(into store: Store) {
    guard !bodies.isEmpty else { return }
    _ = store.isolated
    for body in bodies {
      var command = ByteBuffer(minimumCapacity: body.count + 64)
      command.appendCommand(expecting: 3) { command in
        command.append("SCRIPT")
        command.append("LOAD")
        command.append(body.span)
      }
      for connection in store.sharedConnections {
        connection.send(command.span, to: DiscardedReplies.shared, token: 0)
      }
    }
  }

  /// - Returns: false if there are too many.
  private mutating func insert(_ body: Span<UInt8>) -> Bool {
    var hasher = Hasher()
    // The pointer is used within the call, for reading.
    unsafe body.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    let hash = hasher.finalize()
    guard !hashes.contains(hash) else { return true }
    guard bodies.count < Self.maxCount, byteCount + body.count <= Self.maxBytes else { return false }
    hashes.insert(hash)
    bodies.append(body.array)
    byteCount += body.count
    return true
  }

  private mutating func removeAll() {
    bodies = []
    hashes = []
    byteCount = 0
  }
}
