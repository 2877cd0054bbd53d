/// A feature flag, as the admin API shows it.
struct Feature: Hashable {
  /// The full name, such as `use_primary_store_as_default_for_sessions`.
  let name: String
  /// Whether it is on.
  let isOn: Bool
}

/// A refused or failed change of a feature flag.
struct FeatureChangeError: Error, Hashable, CustomStringConvertible {
  /// The reasons.
  enum Kind: Hashable {
    /// No instance has a flag of that name; `known` are the names that exist.
    case unknown(known: [String])
    /// Flags cannot be changed here, with the reason: a file that another tool manages, for example.
    case readOnly(reason: String)
    /// The change could not be stored, with the reason; the previous value stays active.
    case failed(reason: String)
  }

  /// Why the flag was not changed.
  let kind: Kind
  /// The name in the request.
  let name: String

  init(_ kind: Kind, name: String) {
    self.kind = kind
    self.name = name
  }

  /// The whole sentence.
  var description: String {
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

  /// The number of characters of a name that an answer repeats; the longest real names are well below.
  private static let shownCharacters = 200

  /// The status code of the answer.
  var status: Int {
    switch kind {
    case .unknown: 404
    case .readOnly: 409
    case .failed: 500
    }
  }
}

/// Reads and changes the feature flags. The methods are called on the server's thread, one at a time.
protocol FeatureAdministration: Sendable {
  /// Returns every feature flag, in the order in which it is to be shown.
  func features() -> [Feature]

  /// Sets a flag. When this returns, the change is active for the next command and survives a restart.
  func setFeature(named name: String, to isOn: Bool) throws(FeatureChangeError)

  /// Removes a flag's setting, which turns it off.
  func removeFeature(named name: String) throws(FeatureChangeError)
}
