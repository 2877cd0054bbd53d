/// A YAML document as the readers of this module need it: text, lists and maps, each with its place in the file.
///
/// Scalars are kept as text, since only the reader of a key knows which type it has. That also keeps YAML's own
/// guesses (`no` is false, `1:30` is ninety) out of the configuration.
struct YAMLNode {
  /// One key of a map with its value.
  struct Entry {
    let key: YAMLNode
    let value: YAMLNode
  }

  enum Content {
    /// Text, and whether it stood there without quotes.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    /// In the order of the file. A key that was given twice is there twice.
    case mapping([Entry])
  }

  let content: Content
  let position: SourcePosition

  /// The text of a scalar.
  var text: String? {
    if case .scalar(let text, _) = content { text } else { nil }
  }

  /// Whether the node stands for "nothing given": a key without a value, `~` or `null`.
  var isNull: Bool {
    if case .scalar(let text, isPlain: true) = content {
      ["", "~", "null", "Null", "NULL"].contains(text)
    } else {
      false
    }
  }

  /// What the node is, for messages.
  var kind: String {
    switch content {
    case .scalar: isNull ? "nothing" : "text"
    case .sequence: "a list"
    case .mapping: "a map"
    }
  }
}
