/// One run: a fault of a part, a state, and the settings of the instance.
public struct FaultCase: Hashable, Sendable {
  /// The states in which both stores are written to.
  public enum State: String, CaseIterable, Sendable {
    case oldIsDefault = "old is default"
    case newIsDefault = "new is default"
  }

  /// The settings that decide what a client waits for.
  public struct Settings: Hashable, Sendable {
    /// `write_acknowledgement`.
    public let acknowledgement: String
    /// `read_policy`.
    public let readPolicy: String

    /// The sidecar's defaults: clients wait for both stores.
    public static let waiting = Settings(acknowledgement: "both", readPolicy: "fallback")
    /// Clients wait for the default store alone.
    public static let apart = Settings(acknowledgement: "default_store", readPolicy: "default_store")
    /// Those of the table.
    public static let shown = [waiting, apart]
    /// All four.
    public static let all = ["both", "default_store"].flatMap { acknowledgement in
      ["fallback", "default_store"].map { Settings(acknowledgement: acknowledgement, readPolicy: $0) }
    }
  }

  /// The fault that is brought about.
  public let fault: Fault
  /// The part that has it.
  public let part: Fault.Part
  /// The state that the instance is in.
  public let state: State
  /// The instance's settings.
  public let settings: Settings

  /// A fault of the other store with the sidecar's default settings, unless said otherwise.
  public init(
    _ fault: Fault,
    of part: Fault.Part = .otherStore,
    _ state: State = .oldIsDefault,
    _ settings: Settings = .waiting
  ) {
    self.fault = fault
    self.part = part
    self.state = state
    self.settings = settings
  }

  /// The name by which a case is chosen: `other store/stopped/old is default/both/fallback`.
  public var name: String {
    [part.rawValue, fault.rawValue, state.rawValue, settings.acknowledgement, settings.readPolicy]
      .joined(separator: "/")
  }

  /// All cases with some settings, in the table's order.
  public static func all(with settings: [Settings]) -> [FaultCase] {
    Fault.Part.allCases.flatMap { part in
      Fault.allCases.filter { $0.parts.contains(part) }.flatMap { fault in
        State.allCases.flatMap { state in
          settings.map { FaultCase(fault, of: part, state, $0) }
        }
      }
    }
  }
}
