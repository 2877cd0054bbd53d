public import Hiredis
public import RESP

/// The facts about a store's server, as they were when its ordinary connection became ready last.
public struct KnownServer {
  /// The server's own words about itself; nil before the first connection.
  let identity: ServerIdentity?
  /// The differences of its answers from those of Redis 7.0; none while the server is unknown.
  public let dialect: ServerDialect
  /// Whether it has PXAT (since Redis 6.2); true while its version is unknown.
  let hasAbsoluteExpiry: Bool
  /// Whether it has PEXPIRETIME (since Redis 7.0), and has not refused it to the user.
  var hasExpiryTime: Bool
  /// Whether fields of its hashes can expire (since Redis 7.4 and Valkey 9.0).
  let hasFieldExpiry: Bool
  /// Whether the other store's dumps are too new for it, so that keys are copied by their contents.
  var refusesDumps = false
  /// The last refusal of a key because of the state of the server.
  var keyRefusal: KeyRefusal?
  /// The scripts that were loaded over the ordinary connection.
  var loadedScripts: Set<ScriptID> = []

  /// - Parameter identity: nil if it is not known yet.
  init(_ identity: ServerIdentity? = nil) {
    self.identity = identity
    dialect = identity?.dialect ?? []
    hasAbsoluteExpiry = identity?.isAtLeast(6, 2) ?? true
    hasExpiryTime = identity?.isAtLeast(7, 0) ?? false
    let fieldExpiry = identity?.flavour == .valkey ? (9, 0) : (7, 4)
    hasFieldExpiry = identity?.isAtLeast(fieldExpiry.0, fieldExpiry.1) ?? false
  }

  /// The version as INFO reports it; nil while it is not known.
  public var version: String? { identity?.version }

  /// The family of servers that it belongs to; Redis until it is known.
  public var flavour: ServerIdentity.Flavour { identity?.flavour ?? .redis }

  /// The modules that it had loaded, an array as HELLO has it in RESP2; nil while they are unknown, and in all
  /// databases but the first.
  public var modules: [UInt8]? { identity?.modules }
}

extension ServerIdentity {
  /// The ``process`` of each server that does not tell who it is.
  static var unknownProcess: String { "unknown" }

  /// The server's run ID, or ``unknownProcess``.
  var process: String { runID ?? Self.unknownProcess }
}
