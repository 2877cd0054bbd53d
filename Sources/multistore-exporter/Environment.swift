internal import ArgumentParser
internal import Sidecar

/// Options that may come from the environment: `--config.file` from MULTISTORE_CONFIG_FILE.
enum Environment {
  /// What the command line says, or else the environment.
  static func value(_ given: String?, _ option: String) -> String? {
    given ?? ProcessEnvironment.value(variable(option))
  }

  /// The same for an option that has no default.
  static func required(_ given: String?, _ option: String) throws -> String {
    guard let value = value(given, option) else {
      throw ValidationError("--\(option) is missing (or \(variable(option)) in the environment)")
    }
    return value
  }

  /// The same for an option that can be given several times; in the environment commas are between the values.
  static func values(_ given: [String], _ option: String) -> [String]? {
    guard given.isEmpty else { return given }
    guard let text = ProcessEnvironment.value(variable(option)) else { return nil }
    return text.split(separator: ",").map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
  }

  /// The same for an option without a value, which the environment gives as `true` or `false`.
  static func flag(_ given: Bool, _ option: String) throws -> Bool {
    switch given ? "true" : ProcessEnvironment.value(variable(option)) ?? "false" {
    case "true", "1": return true
    case "false", "0": return false
    case let text: throw ValidationError("\(variable(option)): \"\(text)\" is neither true nor false")
    }
  }

  /// The same for an option that takes one of a few words.
  static func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ given: String?,
    _ option: String
  ) throws -> Choice? {
    guard let value = value(given, option) else { return nil }
    guard let choice = Choice(rawValue: value) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--\(option): \"\(value)\" is none of \(known)")
    }
    return choice
  }

  private static func variable(_ option: String) -> String {
    "MULTISTORE_" + String(option.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 })
  }
}
