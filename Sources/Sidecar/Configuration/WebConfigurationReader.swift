internal import HTTPServer

/// Reads the file that `--web.config.file` names, and reports mistakes.
enum WebConfigurationReader {
  /// The cost from which on a password takes a second or more, on the thread that answers requests.
  private static let costlyHash = 14

  static func read(_ root: YAMLNode, context: LoadContext) -> WebConfiguration? {
    guard let reader = MappingReader(root, section: .web, path: "", context: context) else { return nil }
    var configuration = WebConfiguration()
    if let tls = reader.section("tls_server_config") {
      configuration.tls = WebTLSReader(reader: tls).credentials()
    }
    if let http = reader.section("http_server_config") {
      configuration.headers = headers(http, hasTLS: reader.has("tls_server_config"))
    }
    if let node = reader.node("basic_auth_users") { configuration.users = users(node, reader) }
    if let limit = reader.section("rate_limit") { configuration.rateLimit = rateLimit(limit) }
    return configuration
  }

  private static func headers(_ reader: MappingReader, hasTLS: Bool) -> [HTTPField] {
    if reader.boolean("http2") {
      let key = reader.keyPath("http2")
      reader.context.warning(reader.position(of: "http2"), key, "there is no HTTP/2 here; clients get HTTP/1.1")
    }
    guard let headers = reader.section("headers") else { return [] }
    var fields: [HTTPField] = []
    for setting in headers.section.settings where headers.has(setting.name) {
      guard let value = headers.value(setting.name) else { continue }
      if case .choice(let words) = setting.kind, !words.contains(value.expanded) {
        _ = headers.reject(value, setting.name) as HTTPField?
      } else if value.expanded.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value > 0x7e }) {
        let key = headers.keyPath(setting.name)
        reader.context.error(value.position, key, "expected one line of ASCII, as a header field has it")
      } else {
        fields.append(HTTPField(setting.name, value.expanded))
      }
    }
    if headers.has("Strict-Transport-Security"), !hasTLS {
      let key = headers.keyPath("Strict-Transport-Security")
      let message = "has no effect without tls_server_config"
      reader.context.warning(headers.position(of: "Strict-Transport-Security"), key, message)
    }
    return fields
  }

  private static func users(_ node: YAMLNode, _ reader: MappingReader) -> [String: PasswordHash] {
    let (context, path) = (reader.context, reader.keyPath("basic_auth_users"))
    guard case .mapping(let entries) = node.content else {
      let expectation = Setting.Kind.passwordHashes.expectation
      context.error(node.position, path, "expected \(expectation), found \(node.kind)")
      return [:]
    }
    var users: [String: PasswordHash] = [:]
    var lines: [String: Int] = [:]
    for entry in entries {
      guard let name = entry.key.text, !name.isEmpty, !name.contains(":"), !name.utf8.contains(0) else {
        context.error(entry.key.position, path, "the name of a user has to be text without a colon")
        continue
      }
      let key = "\(path).\(LoadContext.shown(name))"
      if let line = lines[name] {
        context.error(entry.key.position, key, "given twice; it is already in line \(line)")
        continue
      }
      lines[name] = entry.key.position.line
      guard let value = reader.value(of: entry.value, key: key, expectation: "a bcrypt hash") else { continue }
      do {
        let hash = try PasswordHash(value.expanded)
        users[name] = hash
        guard hash.cost >= costlyHash else { continue }
        let message = "a cost of \(hash.cost) takes seconds for each password that is not known; 10 is usual"
        context.warning(value.position, key, message)
      } catch {
        context.error(value.position, key, "\(error)")
      }
    }
    return users
  }

  private static func rateLimit(_ reader: MappingReader) -> RateLimit? {
    let interval = reader.duration("interval")
    let burst = reader.integer("burst")
    guard interval > .zero else { return nil }
    guard burst > 0 else {
      reader.context.error(reader.position(of: "burst"), reader.keyPath("burst"), "0 would let no request through")
      return nil
    }
    return RateLimit(interval: interval, burst: burst)
  }
}
