internal import HTTPServer

/// What the file says that `--web.config.file` names: what the web listeners ask of their clients.
struct WebConfiguration: Sendable {
  /// Certificate, key and what is asked of clients' certificates; nil for plain HTTP.
  var tls: TLSCredentials?
  /// Hashes of passwords by user; empty when nobody has to log in.
  var users: [String: PasswordHash] = [:]
  /// Fields of every answer.
  var headers: [HTTPField] = []
  /// How many requests are answered; nil for all.
  var rateLimit: RateLimit?

  /// The same for a listener. Several listeners that are given the same one share passwords found right and the limit.
  var access: HTTPAccess {
    HTTPAccess(
      tls: tls,
      authorization: users.isEmpty ? .none : .basic(BasicAuthentication(users: users)),
      headers: headers,
      rateLimiter: rateLimit.map(RateLimiter.init)
    )
  }
}

/// What became of reading a web configuration.
struct WebConfigurationResult: Sendable {
  /// Nil exactly when one of the problems is an error.
  let configuration: WebConfiguration?
  /// All mistakes and warnings, in the order of their lines.
  let problems: [ConfigurationProblem]
  /// The file and those that it names, as they were read.
  let files: [FileSnapshot]
}

extension WebConfiguration {
  /// Reads and checks a file, with the certificates and keys that it names. Blocks on files.
  ///
  /// - Parameters:
  ///   - file: The path, as it is to be shown in problems. Paths in the file begin at its folder.
  ///   - environment: What `${NAME}` stands for.
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
        // Half a file must not open the listener to everybody.
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
