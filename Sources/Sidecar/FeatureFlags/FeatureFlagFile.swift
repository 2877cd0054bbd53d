/// The text of a feature flag file: a YAML map from flag names to `true` or `false`.
struct FeatureFlagFile: Equatable {
  /// Why there are no flags to be had from a file.
  enum Failure: Error, Equatable, CustomStringConvertible {
    /// The system would not read it.
    case unreadable(FileFailure)
    /// It does not say what flags are on, or not only that.
    case invalid(SourcePosition?, String)

    var description: String {
      switch self {
      case .unreadable(let failure): failure.description
      case .invalid(let position?, let message): "line \(position.line), column \(position.column): \(message)"
      case .invalid(nil, let message): message
      }
    }
  }

  /// One line of the file.
  struct Entry: Equatable {
    let name: String
    var isOn: Bool
  }

  /// The flags in the order of the file; no name is there twice.
  var entries: [Entry]

  /// Reads and parses the file.
  static func read(_ path: String) throws(Failure) -> FeatureFlagFile {
    let contents: SmallFile.Contents
    do {
      contents = try SmallFile.read(path, limitBytes: YAMLDocument.largestFileBytes)
    } catch {
      throw .unreadable(error)
    }
    return try FeatureFlagFile(parsing: contents.bytes)
  }

  /// A file with these flags.
  init(entries: [Entry] = []) {
    self.entries = entries
  }

  /// Reads the text of a file.
  ///
  /// A file of no bytes is refused: that is what an editor leaves for a moment when it saves in place, and taking it
  /// at its word would switch every flag off. Who wants no flags writes `{}` or comments them all out.
  init(parsing bytes: [UInt8]) throws(Failure) {
    guard !bytes.isEmpty else { throw .invalid(nil, "the file is empty; write {} for no flags") }
    let root: YAMLNode?
    do {
      root = try YAMLDocument.parse(bytes)
    } catch {
      throw .invalid(error.position, error.message)
    }
    entries = []
    guard let root else { return }
    guard case .mapping(let pairs) = root.content else {
      throw .invalid(root.position, "expected lines such as NAME: true, found \(root.kind)")
    }
    var lines: [String: Int] = [:]
    for pair in pairs {
      let entry = try Self.entry(pair)
      if let line = lines[entry.name] {
        let message = "\(LoadContext.shown(entry.name)): given twice; it is already in line \(line)"
        throw .invalid(pair.key.position, message)
      }
      lines[entry.name] = pair.key.position.line
      entries.append(entry)
    }
  }

  /// The flag, if the file has it.
  subscript(name: String) -> Bool? {
    entries.first { $0.name == name }?.isOn
  }

  /// Whether a text can be a flag's name. More is allowed than our own flags need, since the file may be shared; all
  /// of it can stand in YAML without quotes.
  static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isASCII, first.isLetter || first == "_", text.count <= longestName else {
      return false
    }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isWholeNumber) || "_-.".contains($0) }
  }

  /// Room for the longest name of an instance behind the longest prefix, and some more.
  private static let longestName = 128

  private static func entry(_ pair: YAMLNode.Entry) throws(Failure) -> Entry {
    guard let name = pair.key.text, isName(name) else {
      let message = "a flag name has letters, digits and _ - . only, and begins with a letter"
      throw .invalid(pair.key.position, message)
    }
    guard case .scalar(let text, isPlain: true) = pair.value.content, let isOn = ScalarValues.boolean(text) else {
      let found = pair.value.text.map { $0.isEmpty ? "nothing" : "\"\(LoadContext.shown($0))\"" } ?? pair.value.kind
      throw .invalid(pair.value.position, "\(name): expected true or false, found \(found)")
    }
    return Entry(name: name, isOn: isOn)
  }
}
