internal import Synchronization

/// The two feature flags of an instance, under the names GitLab gave them.
public enum FeatureFlag: CaseIterable, Sendable {
  /// Writes go to both stores, reads follow the read policy.
  case dualWrite
  /// The primary is the default store.
  case primaryAsDefault

  /// The flag's full name for one instance, as operators type it.
  public func name(instance: String) -> String {
    switch self {
    case .dualWrite: "use_primary_and_secondary_stores_for_\(instance)"
    case .primaryAsDefault: "use_primary_store_as_default_for_\(instance)"
    }
  }
}

/// The values of both flags of an instance.
public struct FlagState: Equatable, Sendable {
  /// The dual write flag.
  public var dualWrite: Bool
  /// The default flag.
  public var primaryAsDefault: Bool

  /// The values of both flags, off by default.
  public init(dualWrite: Bool = false, primaryAsDefault: Bool = false) {
    self.dualWrite = dualWrite
    self.primaryAsDefault = primaryAsDefault
  }

  /// One flag by its case.
  public subscript(flag: FeatureFlag) -> Bool {
    get {
      switch flag {
      case .dualWrite: dualWrite
      case .primaryAsDefault: primaryAsDefault
      }
    }
    set {
      switch flag {
      case .dualWrite: dualWrite = newValue
      case .primaryAsDefault: primaryAsDefault = newValue
      }
    }
  }
}

/// The flags of one instance, set from any thread and applied to the next command.
///
/// Both flags are read in one atomic load, so that a command never sees half of a change. The same load shows whether
/// dual write has been on, since it may have been on and off again between two loads.
public final class FeatureFlags: Sendable {
  /// The instance that the flags belong to.
  public let instanceName: String

  private static let dualWriteBit: UInt8 = 1
  private static let primaryAsDefaultBit: UInt8 = 2
  /// Set with ``dualWriteBit``, and never cleared.
  private static let dualWriteWasOnBit: UInt8 = 4
  private let bits: Atomic<UInt8>

  /// The result of one load.
  struct Reading: Equatable {
    /// Equal to no result.
    static let none = Reading(bits: .max)

    fileprivate let bits: UInt8

    /// The values of both flags.
    var state: FlagState { FeatureFlags.unpack(bits) }

    /// Whether dual write is on, or has been since the flags were created.
    var dualWriteWasOn: Bool { bits & dualWriteWasOnBit != 0 }
  }

  /// The flags of `instanceName`, beginning with `state`.
  public init(instanceName: String, state: FlagState = FlagState()) {
    self.instanceName = instanceName
    bits = Atomic(Self.pack(state))
  }

  /// The current values. Any thread.
  public var state: FlagState { reading.state }

  /// The current values, and what has happened before. Any thread.
  @inline(__always)
  var reading: Reading { Reading(bits: bits.load(ordering: .acquiring)) }

  /// Sets both flags at once and returns the values before. Any thread.
  @discardableResult
  public func exchange(_ state: FlagState) -> FlagState {
    var old = bits.load(ordering: .relaxed)
    while true {
      let new = Self.pack(state) | old & Self.dualWriteWasOnBit
      let result = bits.weakCompareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing)
      if result.exchanged { return Self.unpack(old) }
      old = result.original
    }
  }

  private static func pack(_ state: FlagState) -> UInt8 {
    (state.dualWrite ? dualWriteBit | dualWriteWasOnBit : 0) | (state.primaryAsDefault ? primaryAsDefaultBit : 0)
  }

  private static func unpack(_ bits: UInt8) -> FlagState {
    FlagState(dualWrite: bits & dualWriteBit != 0, primaryAsDefault: bits & primaryAsDefaultBit != 0)
  }
}
