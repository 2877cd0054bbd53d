/// The shared state of the readers of one configuration: the file's name, the environment, and the problems found so
/// far.
///
/// Confined to the thread that reads the configuration.
final class LoadContext {
  /// The number of characters to which cited values and keys are cut.
  private static let longestShown = 64
  /// The limit on a password file, which has one line: a log file that is named by accident is not read into memory.
  private static let largestSecretFileBytes = 64 << 10

  let file: String
  let expansion: EnvironmentExpansion
  private(set) var problems: [ConfigurationProblem] = []
  /// The files that the configuration has named so far, with their contents.
  private(set) var files: [FileSnapshot] = []

  init(file: String, environment: @escaping @Sendable (String) -> String?) {
    self.file = file
    expansion = EnvironmentExpansion(variable: environment)
  }

  /// The problems in the order of the file, those of the file as a whole first.
  var sortedProblems: [ConfigurationProblem] {
    let beginning = SourcePosition(line: 0, column: 0)
    return problems.enumerated()
      .sorted { ($0.element.position ?? beginning, $0.offset) < ($1.element.position ?? beginning, $1.offset) }
      .map(\.element)
  }

  /// Adds an error.
  func error(_ position: SourcePosition?, _ key: String, _ message: String) {
    add(position, key, message, isWarning: false)
  }

  /// Adds a warning.
  func warning(_ position: SourcePosition?, _ key: String, _ message: String) {
    add(position, key, message, isWarning: true)
  }

  /// Returns the text with `${…}` replaced; reports a mistake and returns nil if that is impossible.
  func expand(_ text: String, at position: SourcePosition, key: String) -> String? {
    do {
      return try expansion.expand(text)
    } catch {
      self.error(position, key, error.message)
      return nil
    }
  }

  /// Returns a path for the system: relative ones begin at the folder of the configuration file, wherever the sidecar
  /// was started.
  func resolve(path: String) -> String {
    guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
    return String(file[...slash]) + path
  }

  /// Returns the line of a file that has a secret and nothing else; reports a mistake and returns nil if there is none.
  func secret(inFile path: String, at position: SourcePosition, key: String) -> Secret? {
    let path = resolve(path: path)
    let contents: SmallFile.Contents
    do {
      contents = try SmallFile.read(path, limitBytes: Self.largestSecretFileBytes)
    } catch {
      self.error(position, key, "cannot read \(path): \(error)")
      return nil
    }
    guard var text = String(validating: contents.bytes, as: UTF8.self) else {
      self.error(position, key, "\(path) is not UTF-8 text")
      return nil
    }
    if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
    guard !text.isEmpty else {
      self.error(position, key, "\(path) is empty")
      return nil
    }
    warnIfReadableByEverybody(contents, path, at: position, key: key)
    return Secret(text)
  }

  /// Warns of a file with a secret that every user of the machine can read. One that can't be read is no matter here.
  func warnIfReadableByEverybody(_ path: String, at position: SourcePosition, key: String) {
    guard let contents = try? SmallFile.read(path, limitBytes: Self.largestSecretFileBytes) else { return }
    warnIfReadableByEverybody(contents, path, at: position, key: key)
  }

  private func warnIfReadableByEverybody(
    _ contents: SmallFile.Contents,
    _ path: String,
    at position: SourcePosition,
    key: String
  ) {
    guard contents.isReadableByEverybody else { return }
    warning(position, key, "\(path) can be read by every user of this machine; chmod o-r takes that away")
  }

  /// Returns the contents of a file, which is added to ``files``; reports a failure and returns nil if it can't be
  /// read.
  func contents(ofFile path: String, at position: SourcePosition, key: String, isSecret: Bool) -> [UInt8]? {
    let snapshot = FileSnapshot(of: resolve(path: path))
    files.append(snapshot)
    switch snapshot.contents {
    case .failure(let failure):
      error(position, key, "cannot read \(snapshot.path): \(failure)")
      return nil
    case .success(let contents):
      if isSecret { warnIfReadableByEverybody(contents, snapshot.path, at: position, key: key) }
      return contents.bytes
    }
  }

  /// Returns a text from the file for a problem to cite, short and without control characters.
  static func shown(_ text: String) -> String {
    let cut = text.count > longestShown ? "\(text.prefix(longestShown))…" : text
    return String(
      String.UnicodeScalarView(cut.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 })
    )
  }

  private func add(_ position: SourcePosition?, _ key: String, _ message: String, isWarning: Bool) {
    problems.append(
      ConfigurationProblem(file: file, position: position, keyPath: key, message: message, isWarning: isWarning)
    )
  }
}
