internal import HTTPServer
internal import TLS

/// The web configuration: the requirements of the web listeners on their clients.
struct WebConfiguration: Sendable {
  /// Certificate, key and the requirements on clients' certificates; nil for plain HTTP.
  var tls: TLSCredentials?
  /// Hashes of passwords by user; empty when clients need not log in.
  var users: [String: PasswordHash] = [:]
  /// Header fields of every answer.
  var headers: [HTTPField] = []
  /// The limit on the rate of requests; nil for none.
  var rateLimit: RateLimit?

  /// The requirements for listeners. Listeners that share one value share the remembered passwords and the rate limit.
  var access: HTTPAccess {
    HTTPAccess(
      tls: tls,
      authorization: users.isEmpty ? .none : .basic(BasicAuthentication(users: users)),
      headers: headers,
      rateLimiter: rateLimit.map(RateLimiter.init)
    )
  }
}

/// The result of reading a web configuration.
struct WebConfigurationResult: Sendable {
  /// Nil exactly when one of the problems is an error.
  let configuration: WebConfiguration?
  /// All mistakes and warnings, in the order of their lines.
  let problems: [ConfigurationProblem]
  /// The file and those that it names, with their contents.
  let files: [FileSnapshot]
}

extension WebConfiguration {
  /// Reads and checks a file, with the certificates and keys that it names. Blocks on files.
  ///
  /// - Parameters:
  ///   - file: The path, as it is shown in problems. Paths in the file begin at its folder.
  ///   - environment: Returns the value of `${NAME}`.
  static func load(
    file: String,
    environment: @escaping @Sendable (String) -> String? = ProcessEnvironment.value
  ) -> WebConfigurationResult {
    let context = LoadContext(file: file, environment: environment)
    let snapshot = FileSnapshot(of: file)
    var configuration: WebConfiguration?
    do {
      let bytes = try snapshot.contents.get().bytes
      if let root = try YAMLDocument.parse(bytes) {
        configuration = WebConfigurationReader.read(root, context: context)
      } else {
        // A file that is still being written must not open the listener to every client.
        context.error(nil, "", "is empty; write {} for plain HTTP without passwords")
      }
    } catch let mistake as YAMLDocument.Mistake {
      context.error(mistake.position, "", mistake.message)
    } catch {
      context.error(nil, "", "cannot be read: \(error)")
    }
    let hasErrors = context.problems.contains { !$0.isWarning }
    return WebConfigurationResult(
      configuration: hasErrors ? nil : configuration,
      problems: context.sortedProblems,
      files: [snapshot] + context.files
    )
  }
}
