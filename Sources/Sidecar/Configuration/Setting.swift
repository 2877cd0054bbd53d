/// One key of the configuration: its values, its default and its meaning.
///
/// The readers take ranges and defaults from here, unknown keys are compared with these names, and the tables of
/// `deploy/configuration.md` are generated from it, so that the three agree.
struct Setting: Sendable {
  /// The kinds of values.
  enum Kind: Sendable {
    case boolean
    case integer(ClosedRange<Int>)
    case size(ClosedRange<Int>)
    case duration(ClosedRange<Duration>)
    case choice([String])
    /// A list of some of these words.
    case choices([String])
    /// Matches `[a-z][a-z0-9_]*`.
    case name
    case text
    /// A list of texts.
    case texts
    /// Text that is never shown.
    case secret
    case file
    case folder
    case url
    /// One address or a list of them.
    case addresses
    /// The name of a store, or a store.
    case store
    case section(SettingSection)
    case sectionList(SettingSection)
    /// A map from names to sections.
    case namedSections(SettingSection)
    /// A map from names of users to hashes of their passwords.
    case passwordHashes
  }

  /// The value of a key that is missing.
  enum Default: Sendable {
    /// The key is required.
    case required
    /// No value; the text describes the effect.
    case none(String)
    /// This value.
    case value(String)
  }

  let name: String
  let kind: Kind
  let fallback: Default
  let meaning: String

  init(_ name: String, _ kind: Kind, _ fallback: Default, _ meaning: String) {
    self.name = name
    self.kind = kind
    self.fallback = fallback
    self.meaning = meaning
  }

  /// The word that disables an optional limit.
  static let none = "none"

  /// The accepted values, as the end of "expected …".
  var expectation: String {
    let sentence = kind.expectation
    guard case .none = fallback, case .duration = kind else { return sentence }
    return "\(sentence), or \(Self.none)"
  }
}

extension Setting.Kind {
  /// The longest name in characters: names become label values and parts of flag names, and have to be readable there.
  static let longestName = 64

  /// The accepted values, as the end of "expected …".
  var expectation: String {
    switch self {
    case .boolean: "true or false"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .size(let range):
      "a size from \(ScalarValues.text(size: range.lowerBound)) to \(ScalarValues.text(size: range.upperBound)), "
        + "such as 64MiB, or in bytes"
    case .duration(let range):
      "a duration from \(ScalarValues.text(duration: range.lowerBound)) to "
        + "\(ScalarValues.text(duration: range.upperBound)) with its unit, such as 250ms, 5s or 2m"
    case .choice(let choices): choices.joined(separator: " or ")
    case .choices(let choices): "a list of \(choices.joined(separator: ", "))"
    case .texts: "a list of texts"
    case .passwordHashes: "a map from names of users to bcrypt hashes"
    case .name: "up to \(Self.longestName) lower-case letters, digits and underscores, beginning with a letter"
    case .text, .secret: "text"
    case .file: "the path of a file"
    case .folder: "the path of a folder"
    case .url: "a URL such as redis://127.0.0.1:6379/0 or unix:///run/redis.sock?db=0"
    case .addresses: "an address such as 127.0.0.1:6400 or unix:/run/sidecar.sock, or a list of them"
    case .store: "the name of a store under stores, or a map with a url or a sentinel"
    case .section: "a map"
    case .sectionList: "a list of maps"
    case .namedSections: "a map from names to maps"
    }
  }

  /// The kind in one or two words, for the table of all keys.
  var label: String {
    switch self {
    case .boolean: "boolean"
    case .integer(let range): "number, \(range.lowerBound)–\(range.upperBound)"
    case .size(let range):
      "size, \(ScalarValues.text(size: range.lowerBound))–\(ScalarValues.text(size: range.upperBound))"
    case .duration(let range):
      "duration, \(ScalarValues.text(duration: range.lowerBound))–\(ScalarValues.text(duration: range.upperBound))"
    case .choice(let choices): choices.map { "`\($0)`" }.joined(separator: " or ")
    case .choices(let choices): "list of \(choices.map { "`\($0)`" }.joined(separator: ", "))"
    case .texts: "list of texts"
    case .passwordHashes: "map of hashes"
    case .name: "name"
    case .text: "text"
    case .secret: "secret"
    case .file, .folder: "path"
    case .url: "URL"
    case .addresses: "address or list"
    case .store: "name or map"
    case .section: "map"
    case .sectionList: "list of maps"
    case .namedSections: "map of maps"
    }
  }
}
