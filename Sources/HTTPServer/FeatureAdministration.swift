/// A feature flag as the admin API shows it.
public struct Feature: Sendable, Hashable {
  /// The full name, such as `use_primary_store_as_default_for_sessions`.
  public let name: String
  /// Whether it is on.
  public let isOn: Bool

  /// A feature flag.
  public init(name: String, isOn: Bool) {
    self.name = name
    self.isOn = isOn
  }
}

/// A feature flag that was not changed.
public struct FeatureChangeError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Why it was not.
  public enum Kind: Sendable, Hashable {
    /// No instance has a flag of that name; the names that there are.
    case unknown(known: [String])
    /// Flags cannot be changed here, with the reason: a file that another tool manages, for example.
    case readOnly(reason: String)
    /// The change could not be made lasting, with the reason; what was in force still is.
    case failed(reason: String)
  }

  /// Why it was not changed.
  public let kind: Kind
  /// The name that was asked for.
  public let name: String

  /// A refused or failed change.
  public init(_ kind: Kind, name: String) {
    self.kind = kind
    self.name = name
  }

  /// The whole sentence.
  public var description: String {
    let shown = String(name.prefix(Self.shownCharacters))
    switch kind {
    case .unknown(let known):
      return known.isEmpty
        ? "There is no feature flag '\(shown)': no instance has a primary store, so there are no flags."
        : "There is no feature flag '\(shown)'. Known flags: \(known.joined(separator: " "))"
    case .readOnly(let reason): return "The feature flag '\(shown)' cannot be changed here: \(reason)"
    case .failed(let reason): return "The feature flag '\(shown)' was not changed: \(reason)"
    }
  }

  /// How much of a name is repeated in an answer; the longest real ones are well below.
  private static let shownCharacters = 200

  var status: Int {
    switch kind {
    case .unknown: 404
    case .readOnly: 409
    case .failed: 500
    }
  }
}

/// What the admin API changes. Its methods are called on the server's thread, one at a time.
public protocol FeatureAdministration: Sendable {
  /// Every feature flag, in the order in which it is to be shown.
  func features() -> [Feature]

  /// Sets a flag; when it returns, the change is in force for the next command and survives a restart.
  func setFeature(named name: String, to isOn: Bool) throws(FeatureChangeError)

  /// Takes a flag's setting away, which turns it off.
  func removeFeature(named name: String) throws(FeatureChangeError)
}
