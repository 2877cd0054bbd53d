internal import ArgumentParser
internal import Sidecar

/// Options that may come from the environment: `--config.file` from MULTISTORE_CONFIG_FILE.
enum Environment {
  /// Returns the value of the command line, or of the environment if there is none.
  static func value(_ given: String?, _ option: String) -> String? {
    given ?? ProcessEnvironment.value(variable(option))
  }

  /// Returns the value of an option that has no default.
  static func required(_ given: String?, _ option: String) throws -> String {
    guard let value = value(given, option) else {
      throw ValidationError("--\(option) is missing (or \(variable(option)) in the environment)")
    }
    return value
  }

  /// Returns the values of an option that may be repeated; in the environment they are separated by commas.
  static func values(_ given: [String], _ option: String) -> [String]? {
    guard given.isEmpty else { return given }
    guard let text = ProcessEnvironment.value(variable(option)) else { return nil }
    return text.split(separator: ",").map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
  }

  /// Returns the value of a flag, which the environment sets to `true` or `false`.
  static func flag(_ given: Bool, _ option: String) throws -> Bool {
    switch given ? "true" : ProcessEnvironment.value(variable(option)) ?? "false" {
    case "true", "1": return true
    case "false", "0": return false
    case let text: throw ValidationError("\(variable(option)): \"\(text)\" is neither true nor false")
    }
  }

  /// Returns the value of an option that takes one of a few words.
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
