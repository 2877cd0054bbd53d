/// The contents of a feature flag file: a YAML map from flag names to `true` or `false`.
struct FeatureFlagFile: Equatable {
  /// A file that cannot be used.
  enum Failure: Error, Equatable, CustomStringConvertible {
    /// It cannot be read.
    case unreadable(FileFailure)
    /// It has contents other than flags.
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

  /// The flags in the order of the file, without duplicates.
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

  /// Creates a file with these flags.
  init(entries: [Entry] = []) {
    self.entries = entries
  }

  /// Reads the text of a file.
  ///
  /// An empty file is refused: an editor that saves in place leaves one for a moment, and accepting it would turn every
  /// flag off. A file without flags has `{}` or comments.
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

  /// Whether a flag is on; nil if the file does not have it.
  subscript(name: String) -> Bool? {
    entries.first { $0.name == name }?.isOn
  }

  /// Whether a text can be a flag's name. More is allowed than the flags of instances need, since the file may be
  /// shared; no such name needs quotes in YAML.
  static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isASCII, first.isLetter || first == "_", text.count <= longestName else {
      return false
    }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isWholeNumber) || "_-.".contains($0) }
  }

  /// The longest name in characters: the longest prefix with the longest name of an instance, and a reserve.
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
