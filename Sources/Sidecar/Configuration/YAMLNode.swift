/// A node of a YAML document: text, a list or a map, with its place in the file.
///
/// Scalars are kept as text, since only the reader of a key knows its type. That also keeps YAML's own guesses (`no` is
/// false, `1:30` is ninety) out of the configuration.
struct YAMLNode {
  /// One key of a map with its value.
  struct Entry {
    let key: YAMLNode
    let value: YAMLNode
  }

  enum Content {
    /// Text, and whether it had no quotes.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    /// The entries in the order of the file, with duplicate keys.
    case mapping([Entry])
  }

  let content: Content
  let position: SourcePosition

  /// The text of a scalar.
  var text: String? {
    if case .scalar(let text, _) = content { text } else { nil }
  }

  /// Whether the node is a null: a key without a value, `~` or `null`.
  var isNull: Bool {
    if case .scalar(let text, isPlain: true) = content {
      ["", "~", "null", "Null", "NULL"].contains(text)
    } else {
      false
    }
  }

  /// The kind of the node, for messages.
  var kind: String {
    switch content {
    case .scalar: isNull ? "nothing" : "text"
    case .sequence: "a list"
    case .mapping: "a map"
    }
  }
}
