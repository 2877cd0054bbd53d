/// Reads one map of a configuration by the table of its section.
///
/// Every method reports a mistake and continues with the default, so that one pass finds all mistakes. A configuration
/// with a mistake is discarded in the end.
struct MappingReader {
  /// A scalar, as it is in the file and expanded.
  struct Value {
    /// The text in the file; may be shown unless the key is a secret or a URL.
    let raw: String
    /// The text with `${…}` replaced; never shown.
    let expanded: String
    let position: SourcePosition
  }

  let context: LoadContext
  let section: SettingSection
  /// The path of the map, such as `instances[0]`; empty for the top level.
  let path: String
  let position: SourcePosition
  private var nodes: [String: YAMLNode] = [:]

  /// Reads the keys of a map, and reports unknown and duplicate ones; nil when the node is no map.
  init?(_ node: YAMLNode, section: SettingSection, path: String, context: LoadContext) {
    self.context = context
    self.section = section
    self.path = path
    position = node.position
    guard case .mapping(let entries) = node.content else {
      context.error(node.position, path, "expected \(path.isEmpty ? "keys with values" : "a map"), found \(node.kind)")
      return nil
    }
    let known = section.settings.map(\.name)
    var positions: [String: SourcePosition] = [:]
    for entry in entries {
      guard let key = entry.key.text else {
        context.error(entry.key.position, path, "a key has to be text, found \(entry.key.kind)")
        continue
      }
      if let first = positions[key] {
        context.error(entry.key.position, keyPath(key), "given twice; it is already in line \(first.line)")
      } else if known.contains(key) {
        nodes[key] = entry.value
      } else if let message = section.unsupported[key] {
        context.error(entry.key.position, keyPath(key), message)
      } else {
        context.error(entry.key.position, keyPath(key), "unknown key; \(section.hint(forUnknown: key))")
      }
      positions[key] = positions[key] ?? entry.key.position
    }
  }

  /// A map without keys, so that each has its default.
  private init(emptyAt position: SourcePosition, section: SettingSection, path: String, context: LoadContext) {
    (self.context, self.section, self.path, self.position) = (context, section, path, position)
  }

  /// Returns the path of a key of this map. Keys are cut to a length that fits a line.
  func keyPath(_ key: String) -> String {
    let key = LoadContext.shown(key)
    return path.isEmpty ? key : "\(path).\(key)"
  }

  /// Returns the node of a key; nil without one, which is reported if the key is required.
  func node(_ key: String) -> YAMLNode? {
    let setting = setting(key)
    guard let node = nodes[key] else {
      if case .required = setting.fallback {
        context.error(position, path, "\"\(key)\" is missing; expected \(setting.expectation)")
      }
      return nil
    }
    guard !node.isNull else {
      context.error(node.position, keyPath(key), "has no value; expected \(setting.expectation)")
      return nil
    }
    return node
  }

  /// Whether the map has the key, with any value.
  func has(_ key: String) -> Bool {
    nodes[key] != nil
  }

  /// Returns the position of the value of a key, or of the map when it does not have the key.
  func position(of key: String) -> SourcePosition {
    nodes[key]?.position ?? position
  }

  /// Returns the text of a key; nil when it is missing or can't be expanded.
  func value(_ key: String) -> Value? {
    node(key).flatMap { value(of: $0, key: keyPath(key), expectation: setting(key).expectation) }
  }

  /// Returns the text of a node that has to be a scalar.
  func value(of node: YAMLNode, key: String, expectation: String) -> Value? {
    guard let raw = node.text else {
      context.error(node.position, key, "expected \(expectation), found \(node.kind)")
      return nil
    }
    guard let expanded = context.expand(raw, at: node.position, key: key) else { return nil }
    guard !expanded.isEmpty else {
      context.error(node.position, key, "is empty; expected \(expectation)")
      return nil
    }
    return Value(raw: raw, expanded: expanded, position: node.position)
  }

  /// Returns the map of a key; nil when the key is missing or no map.
  func section(_ key: String) -> MappingReader? {
    guard case .section(let section) = setting(key).kind else { preconditionFailure("\(key) is not a map") }
    return node(key).flatMap { MappingReader($0, section: section, path: keyPath(key), context: context) }
  }

  /// Returns the map of a key; one without keys, so that each has its default, when the key is missing or no map.
  func sectionOrDefaults(_ key: String) -> MappingReader {
    guard case .section(let section) = setting(key).kind else { preconditionFailure("\(key) is not a map") }
    return self.section(key)
      ?? MappingReader(emptyAt: position, section: section, path: keyPath(key), context: context)
  }

  /// Returns the maps of a list, without elements that are none; empty when the key is missing.
  func sections(_ key: String) -> [MappingReader] {
    guard case .sectionList(let section) = setting(key).kind else { preconditionFailure("\(key) is not a list") }
    guard let node = node(key) else { return [] }
    guard case .sequence(let elements) = node.content, !elements.isEmpty else {
      let found = if case .sequence = node.content { "an empty list" } else { node.kind }
      context.error(node.position, keyPath(key), "expected a list of maps, found \(found)")
      return []
    }
    return elements.enumerated().compactMap { index, element in
      MappingReader(element, section: section, path: "\(keyPath(key))[\(index)]", context: context)
    }
  }

  /// Returns a Boolean value.
  func boolean(_ key: String) -> Bool {
    parsed(key, ScalarValues.boolean)
  }

  /// Returns a whole number within its range.
  func integer(_ key: String) -> Int {
    guard case .integer(let range) = setting(key).kind else { preconditionFailure("\(key) is not a number") }
    return parsed(key) { text in ScalarValues.integer(text).flatMap { range.contains($0) ? $0 : nil } }
  }

  /// Returns a size in bytes within its range.
  func size(_ key: String) -> Int {
    parsed(key, sizeParser(key))
  }

  /// Returns a size in bytes within its range; nil when the key is missing, or wrong, which is reported.
  func optionalSize(_ key: String) -> Int? {
    value(key).flatMap { sizeParser(key)($0.expanded) ?? reject($0, key) }
  }

  /// Returns a duration within its range.
  func duration(_ key: String) -> Duration {
    parsed(key, durationParser(key))
  }

  /// Returns a duration within its range; nil when the key is missing or `none`.
  func optionalDuration(_ key: String) -> Duration? {
    let parse = durationParser(key)
    return value(key).flatMap { value in
      value.expanded == Setting.none ? nil : parse(value.expanded) ?? reject(value, key)
    }
  }

  /// Returns one of the words of an enumeration.
  func choice<Choice: RawRepresentable<String>>(_ key: String) -> Choice {
    parsed(key, Choice.init(rawValue:))
  }

  /// Returns a list of scalars; nil when the key is missing or no list.
  func values(_ key: String) -> [Value]? {
    guard let node = node(key) else { return nil }
    guard case .sequence(let elements) = node.content else {
      context.error(node.position, keyPath(key), "expected \(setting(key).expectation), found \(node.kind)")
      return nil
    }
    return elements.compactMap { value(of: $0, key: keyPath(key), expectation: "text") }
  }

  /// Returns a list of words of an enumeration; empty when the key is missing.
  func choices<Choice: RawRepresentable<String>>(_ key: String) -> [Choice] {
    values(key)?.compactMap { Choice(rawValue: $0.expanded) ?? reject($0, key) } ?? []
  }

  /// Reports a value that the key does not accept, as it is in the file, and returns nil.
  func reject<Result>(_ value: Value, _ key: String) -> Result? {
    let setting = setting(key)
    var message = "expected \(setting.expectation), found \"\(LoadContext.shown(value.raw))\""
    switch setting.kind {
    case .choice(let words), .choices(let words):
      if let nearest = NearestName.find(value.raw, among: words) { message += "; did you mean \"\(nearest)\"?" }
    default: break
    }
    context.error(value.position, keyPath(key), message)
    return nil
  }

  /// Reports a mistake at a key, or at the map when it does not have the key.
  func fail(_ key: String, _ message: String) { context.error(position(of: key), keyPath(key), message) }

  /// Reports something that is possible and hardly meant.
  func warn(_ key: String, _ message: String) { context.warning(position(of: key), keyPath(key), message) }

  private func setting(_ key: String) -> Setting {
    guard let setting = section.settings.first(where: { $0.name == key }) else {
      preconditionFailure("\(key) is not in the table of \(section)")
    }
    return setting
  }

  private func sizeParser(_ key: String) -> (String) -> Int? {
    guard case .size(let range) = setting(key).kind else { preconditionFailure("\(key) is not a size") }
    return { text in ScalarValues.size(text).flatMap { range.contains($0) ? $0 : nil } }
  }

  private func durationParser(_ key: String) -> (String) -> Duration? {
    guard case .duration(let range) = setting(key).kind else { preconditionFailure("\(key) is not a duration") }
    return { text in ScalarValues.duration(text).flatMap { range.contains($0) ? $0 : nil } }
  }

  /// Returns the value of a key that has a default, read by `parse`.
  private func parsed<Result>(_ key: String, _ parse: (String) -> Result?) -> Result {
    if let value = value(key), let result = parse(value.expanded) ?? reject(value, key) { return result }
    guard case .value(let text) = setting(key).fallback, let result = parse(text) else {
      preconditionFailure("the default of \(key) in the table is not one of its values")
    }
    return result
  }
}
