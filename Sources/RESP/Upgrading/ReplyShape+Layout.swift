/// The RESP3 form of a RESP2 array.
enum CollectionForm {
  /// The same array.
  case array
  /// `~`, the same elements.
  case set
  /// `%`: alternating fields and values.
  case map
  /// `*` of `*2`: each two elements together.
  case pairs
  /// `%` of what was an array of pairs.
  case entries
}

// The layout of each shape, and the shapes of the values inside.
extension ReplyShape {
  /// The form of an array of this shape.
  var collection: CollectionForm {
    switch self {
    case .set, .keySpecifications: .set
    case .map, .fields, .namedRecords, .greeting, .stream, .streamGroup, .library, .functionStatistics, .flagged,
      .securityLogEntry, .memoryStatistics, .memoryStatistic, .histograms, .histogram, .keySpecification, .keySearch,
      .documentations, .documentation, .documentedArgument, .shard:
      .map
    case .pairs, .scoredMembers: .pairs
    case .entries: .entries
    default: .array
    }
  }

  /// Whether bulk strings of this shape are floating-point numbers.
  var isNumber: Bool { self == .double || self == .memoryStatistic }

  /// Returns the shape of the element at `index` in an array or a set of `count` elements of this shape; of a pair, 0
  /// and 1.
  func element(at index: Int, of count: Int) -> ReplyShape {
    switch self {
    case .doubles, .position: .double
    case .records: .fields
    case .scoredMembers: index == 1 ? .double : .plain
    case .scored: index == count - 1 ? .double : .plain
    case .scoredPairs: .scored
    case .poppedMembers: index == 1 ? .scoredPairs : .plain
    case .positions, .place: .position
    case .places: .place
    case .streamGroups: .streamGroup
    case .libraries: .library
    case .functions: .flagged
    case .securityLog: .securityLogEntry
    case .commands, .subcommands: .command
    case .command: Self.part(ofCommandAt: index, subcommands: .subcommands)
    case .commandsByArrays: .commandByArrays
    case .commandByArrays: Self.part(ofCommandAt: index, subcommands: .commandsByArrays)
    case .keySpecifications: .keySpecification
    case .keysAndFlags: .keyAndFlags
    case .keyAndFlags: index == 1 ? .set : .plain
    case .documentedArguments: .documentedArgument
    case .slotRanges: .slotRange
    case .slotRange: .slotNode
    case .slotNode: .fields
    case .shards: .shard
    case .slotStatistics: .slotStatistic
    case .slotStatistic: .fields
    default: .plain
    }
  }

  /// Returns the shape of the value of `field` in a map of this shape.
  func value(of field: Span<UInt8>) -> ReplyShape {
    switch self {
    case .namedRecords: return .fields
    case .greeting: if field.hasSameBytes(as: "modules") { return .records }
    case .stream: if field.hasSameBytes(as: "groups") { return .streamGroups }
    case .streamGroup: if field.hasSameBytes(as: "consumers") { return .records }
    case .library: if field.hasSameBytes(as: "functions") { return .functions }
    case .functionStatistics:
      if field.hasSameBytes(as: "running_script") { return .fields }
      if field.hasSameBytes(as: "engines") { return .namedRecords }
    case .flagged:
      if field.hasSameBytes(as: "flags") { return .set }
      if field.hasSameBytes(as: "selectors") { return .records }
    case .securityLogEntry: if field.hasSameBytes(as: "age-seconds") { return .double }
    case .memoryStatistics: return .memoryStatistic
    case .histograms: return .histogram
    case .histogram: if field.hasSameBytes(as: "histogram_usec") { return .map }
    case .keySpecification:
      if field.hasSameBytes(as: "flags") { return .set }
      if field.hasSameBytes(as: "begin_search") || field.hasSameBytes(as: "find_keys") { return .keySearch }
    case .keySearch: if field.hasSameBytes(as: "spec") { return .fields }
    case .documentations: return .documentation
    case .documentation, .documentedArgument: return Self.part(ofDocumentationNamed: field)
    case .shard: if field.hasSameBytes(as: "nodes") { return .records }
    default: break
    }
    return .plain
  }

  private static func part(ofCommandAt index: Int, subcommands: ReplyShape) -> ReplyShape {
    switch index {
    case 2, 6, 7: .set  // flags, ACL categories, tips
    case 8: .keySpecifications
    case 9: subcommands
    default: .plain
    }
  }

  private static func part(ofDocumentationNamed field: Span<UInt8>) -> ReplyShape {
    if field.hasSameBytes(as: "arguments") { return .documentedArguments }
    if field.hasSameBytes(as: "subcommands") { return .documentations }
    let isSet =
      field.hasSameBytes(as: "history") || field.hasSameBytes(as: "doc_flags") || field.hasSameBytes(as: "flags")
    return isSet ? .set : .plain
  }
}
