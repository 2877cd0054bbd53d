internal import HTTPServer
internal import Status
internal import TLS

extension ConfigurationCheck {
  /// Reads a web configuration and the files that it names, and reports their mistakes.
  public static func report(
    webFile file: String,
    environment: @escaping @Sendable (String) -> String? = ProcessEnvironment.value
  ) -> Report {
    let result = WebConfiguration.load(file: file, environment: environment)
    return report(result.problems, of: file, summary: result.configuration.map(summary))
  }

  /// Returns the problems of a web configuration. One that is no warning keeps the sidecar from starting.
  public static func problems(webFile file: String) -> [ConfigurationProblem] {
    WebConfiguration.load(file: file).problems
  }

  private static func summary(_ configuration: WebConfiguration) -> String {
    var parts = [configuration.tls?.summary ?? "plain HTTP"]
    let (users, headers) = (Double(configuration.users.count), Double(configuration.headers.count))
    parts.append(users == 0 ? "no passwords" : HumanFormat.count(users, "user"))
    if headers > 0 { parts.append(HumanFormat.count(headers, "header")) }
    if configuration.rateLimit != nil { parts.append("a rate limit") }
    return parts.joined(separator: ", ")
  }
}
