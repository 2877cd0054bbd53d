internal import RESP

/// The effective state of an instance: the result of its two flags, the read policy and the state of its stores. The
/// texts are values of labels.
public struct EffectiveState: Sendable, Equatable {
  /// The routing of commands.
  public internal(set) var routing: Routing
  /// Whether no primary is configured, so that the flags have no effect.
  public let isPassThrough: Bool
  /// Whether both stores are the same server and database, so that the flags count as off.
  public internal(set) var storesAreSame = false
  /// The time since which `routing` is active, in milliseconds since 1970.
  public internal(set) var sinceMilliseconds: Int64

  /// The state by its place in a migration: 0 for the old store alone, 1 for dual writes with the secondary as default,
  /// 2 for dual writes with the primary as default, 3 for the new store alone.
  public var state: Int {
    switch (routing.isDual, routing.defaultStore) {
    case (false, .secondary): 0
    case (true, .secondary): 1
    case (true, .primary): 2
    case (false, .primary): 3
    }
  }

  /// The stores that reads of keys use: `primary`, `secondary`, or `primary_then_secondary` while the one falls back to
  /// the other.
  public var reads: String {
    switch routing.route(for: .read) {
    case .primaryWithFallback: "\(StoreRole.primary.label)_then_\(StoreRole.secondary.label)"
    case .single(let role), .dualWrite(let role): role.label
    }
  }

  /// The stores that writes reach: `primary`, `secondary` or `both`.
  public var writes: String { routing.isDual ? "both" : routing.defaultStore.label }

  /// The store whose reply a client gets to a write: `primary` or `secondary`.
  public var replies: String { routing.defaultStore.label }
}
