internal import Yams

/// Reads a YAML file into nodes, or reports the place of a syntax error.
///
/// Yams returns text only (`Resolver.basic`): its default resolver compiles regular expressions with Foundation, which
/// costs megabytes of memory and guesses types that no key here has.
enum YAMLDocument {
  /// Text that is not YAML, or not the YAML that is supported here.
  struct Mistake: Error, Equatable {
    let position: SourcePosition?
    let message: String
  }

  /// The limit on a file: one with a thousand instances is smaller.
  static let largestFileBytes = 1 << 20
  /// The limit on nodes: aliases can make a small file unfold into billions; a reasonable file without them has fewer.
  private static let mostNodes = 100_000
  /// The number of duplicate keys that are reported before the file is refused as a whole.
  private static let mostDuplicates = 64

  /// Returns the root of the only document; nil when it has only comments or a null.
  static func parse(_ bytes: [UInt8]) throws(Mistake) -> YAMLNode? {
    guard bytes.count <= largestFileBytes else {
      throw Mistake(position: nil, message: "larger than \(largestFileBytes) bytes, the most that is read")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Mistake(position: invalidUTF8Position(in: bytes), message: "not UTF-8 text")
    }
    var marked = MarkedText(text)
    while true {
      do {
        guard let root = try Yams.compose(yaml: marked.text, .basic, .default, .utf8) else { return nil }
        var conversion = Conversion(duplicates: marked.duplicates, remaining: mostNodes)
        let node = try conversion.node(root)
        return node.isNull ? nil : node
      } catch YamlError.duplicatedKeysInMapping(let names, let context) {
        // Yams stops at the first duplicate. To find further mistakes, the first of the two keys is marked, so that
        // they differ, and the text is read again; the conversion restores the key's name.
        let position = SourcePosition(line: context.mark.line, column: context.mark.column)
        let isMarked = marked.duplicates.count < mostDuplicates && marked.markDuplicate(at: position, among: names)
        guard isMarked else {
          throw Mistake(position: position, message: "the key is given twice in the same map")
        }
      } catch let error as YamlError {
        throw mistake(error, in: bytes)
      } catch let error as Mistake {
        throw error
      } catch {
        throw Mistake(position: nil, message: "not readable as YAML")
      }
    }
  }

  /// Returns the sentence and the place of an error of Yams without the line that it quotes, which may have a password.
  private static func mistake(_ error: YamlError, in bytes: [UInt8]) -> Mistake {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let sentence = [context?.text, problem].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ", ")
      return Mistake(
        position: SourcePosition(line: mark.line, column: mark.column),
        message: "not valid YAML: \(sentence)"
      )
    case .reader(let problem, let offset, _, let yaml):
      let prefix = offset.map { Array(yaml.prefix($0).utf8) }
      return Mistake(position: prefix.map(position(after:)), message: "not valid YAML: \(problem)")
    default:
      return Mistake(position: nil, message: "not readable as YAML")
    }
  }

  /// Returns the place of the first byte that belongs to no UTF-8 sequence.
  private static func invalidUTF8Position(in bytes: [UInt8]) -> SourcePosition {
    var decoder = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var valid: [UInt8] = []
    while case .valid(let encoded) = decoder.parseScalar(from: &iterator) {
      valid.append(contentsOf: encoded)
    }
    return position(after: valid)
  }

  private static func position(after prefix: [UInt8]) -> SourcePosition {
    let newline = UInt8(ascii: "\n")
    let line = prefix.count { $0 == newline } + 1
    let lastLine = prefix.suffix(from: prefix.lastIndex(of: newline).map { $0 + 1 } ?? 0)
    return SourcePosition(line: line, column: String(decoding: lastLine, as: UTF8.self).unicodeScalars.count + 1)
  }
}

extension YAMLDocument {
  /// The text of a file whose duplicate keys have been made different.
  private struct MarkedText {
    /// The first of the private use characters that stand in for the first character of a duplicate key.
    private static let firstMark: UInt32 = 0xE000

    private(set) var text: String
    /// The names of the marked keys by their place.
    private(set) var duplicates: [SourcePosition: String] = [:]

    init(_ text: String) {
      self.text = text
    }

    /// Replaces the first character of the key at `position`, which keeps all columns. Returns false when the key is
    /// not found there literally, which anchors, tags and escapes can cause.
    mutating func markDuplicate(at position: SourcePosition, among names: [String]) -> Bool {
      var scalars = Array(text.unicodeScalars)
      guard var index = Self.index(of: position, in: scalars) else { return false }
      if index < scalars.count, scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
      guard let name = names.first(where: { scalars[index...].starts(with: $0.unicodeScalars) && !$0.isEmpty }),
        let mark = Unicode.Scalar(Self.firstMark + UInt32(duplicates.count))
      else { return false }
      scalars[index] = mark
      text = String(String.UnicodeScalarView(scalars))
      duplicates[position] = name
      return true
    }

    /// Counts lines as libyaml does for every file that has LF or CRLF line ends.
    private static func index(of position: SourcePosition, in scalars: [Unicode.Scalar]) -> Int? {
      var line = 1
      var index = 0
      while line < position.line {
        guard let lineEnd = scalars[index...].firstIndex(of: "\n") else { return nil }
        index = lineEnd + 1
        line += 1
      }
      let result = index + position.column - 1
      return result < scalars.count ? result : nil
    }
  }

  /// Converts Yams' nodes.
  private struct Conversion {
    let duplicates: [SourcePosition: String]
    /// The number of nodes that may follow.
    var remaining: Int

    mutating func node(_ node: Yams.Node, isKey: Bool = false) throws(Mistake) -> YAMLNode {
      let position = SourcePosition(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
      remaining -= 1
      guard remaining >= 0 else {
        throw Mistake(position: position, message: "unfolds into more than \(YAMLDocument.mostNodes) values")
      }
      switch node {
      case .scalar(let scalar):
        let text = (isKey ? duplicates[position] : nil) ?? scalar.string
        return YAMLNode(content: .scalar(text, isPlain: scalar.style == .plain), position: position)
      case .sequence(let sequence):
        var elements: [YAMLNode] = []
        for element in sequence { elements.append(try self.node(element)) }
        return YAMLNode(content: .sequence(elements), position: position)
      case .mapping(let mapping):
        var entries: [YAMLNode.Entry] = []
        for (key, value) in mapping {
          entries.append(YAMLNode.Entry(key: try self.node(key, isKey: true), value: try self.node(value)))
        }
        return YAMLNode(content: .mapping(entries), position: position)
      case .alias:
        throw Mistake(position: position, message: "an alias without its anchor")
      }
    }
  }
}
