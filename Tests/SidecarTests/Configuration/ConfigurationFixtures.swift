@testable import Sidecar

/// Reads a configuration from a text, under the name `sidecar.yml`.
func parse(_ yaml: String, environment: [String: String] = [:]) -> ConfigurationResult {
  SidecarConfiguration.parse(Array(yaml.utf8), file: "sidecar.yml", environment: { environment[$0] })
}

/// The configuration that a text stands for, when it has no mistakes.
func configuration(_ yaml: String, environment: [String: String] = [:]) throws -> SidecarConfiguration {
  let result = parse(yaml, environment: environment)
  guard let configuration = result.configuration else {
    throw UnexpectedProblems(problems: result.problems.map(\.description))
  }
  return configuration
}

/// What stood in the way of a configuration that should have been good.
struct UnexpectedProblems: Error {
  let problems: [String]
}

/// What every problem of a configuration reads like.
func problems(_ yaml: String, environment: [String: String] = [:]) -> [String] {
  parse(yaml, environment: environment).problems.map(\.description)
}

/// The shortest good configuration, with more lines for its instance and for the top level.
func minimal(instance: String = "", top: String = "") -> String {
  let indented = instance.split(separator: "\n").map { "    \($0)\n" }.joined()
  return """
    instances:
      - name: sessions
        listen: 127.0.0.1:6400
        secondary: { url: "redis://127.0.0.1:6379/0" }
    \(indented)\(top)
    """
}
