/// The form of a RESP3 reply where it differs from the RESP2 reply to the same command.
///
/// A shape determines the forms of an array and of a bulk string in its place; `ReplyShape+Layout` gives them for each
/// shape, and the shapes of the values inside. Nulls are upgraded everywhere, errors, integers and statuses never. All
/// of it was looked up in the replies of Redis 7.0.15 and Valkey 9.1.2, with which a test compares it.
public enum ReplyShape: UInt8, CaseIterable, Sendable {
  // Shapes about arrays and nulls alone. Of the first three, only the top level has to be examined.

  /// Nothing differs, unless the whole reply is null: no value inside ever is.
  case same
  /// A map without nulls: HGETALL.
  case map
  /// A set: SMEMBERS.
  case set
  /// Nulls alone differ, wherever they are in the reply.
  case plain

  // Shapes of many commands.

  /// A floating-point number: ZSCORE.
  case double
  /// An array of them: ZMSCORE.
  case doubles
  /// A text to be shown as it is: INFO.
  case verbatim
  /// The same, but for a text of one line, which says that there is none: MEMORY MALLOC-STATS.
  case verbatimLines
  /// A map whose values may be null.
  case fields
  /// An array of such maps.
  case records
  /// A map of such maps.
  case namedRecords
  /// Alternating fields and values, which become pairs: HRANDFIELD with WITHVALUES.
  case pairs
  /// Alternating members and scores, which become pairs: ZRANGE with WITHSCORES.
  case scoredMembers
  /// An array that ends with a score: ZPOPMIN without COUNT.
  case scored
  /// An array of such arrays.
  case scoredPairs
  /// A key, and members with their scores in pairs already: ZMPOP.
  case poppedMembers
  /// An array of pairs, which becomes a map: XREAD.
  case entries

  // Shapes of one command, and of the parts of its reply.

  /// HELLO.
  case greeting
  /// GEOPOS: an array of positions.
  case positions
  /// A longitude and a latitude.
  case position
  /// GEOSEARCH: an array of members, each in an array of its own if a position belongs to it.
  case places
  /// A member with the details that were requested.
  case place
  /// XINFO STREAM.
  case stream
  /// XINFO GROUPS, and the groups of XINFO STREAM.
  case streamGroups
  /// One of them.
  case streamGroup
  /// FUNCTION LIST.
  case libraries
  /// One of them.
  case library
  /// The functions of a library.
  case functions
  /// FUNCTION STATS.
  case functionStatistics
  /// A map with a set of flags: a function, ACL GETUSER, CLIENT TRACKINGINFO.
  case flagged
  /// ACL LOG.
  case securityLog
  /// One entry of it.
  case securityLogEntry
  /// MEMORY STATS.
  case memoryStatistics
  /// One value of it: a number, or the numbers of a database.
  case memoryStatistic
  /// LATENCY HISTOGRAM.
  case histograms
  /// One of them.
  case histogram
  /// COMMAND and COMMAND INFO.
  case commands
  /// One of them.
  case command
  /// The subcommands of a command: an empty set if there are none.
  case subcommands
  /// COMMAND and COMMAND INFO where a command without subcommands has an empty array; also those subcommands.
  case commandsByArrays
  /// One of them.
  case commandByArrays
  /// The key specifications of a command.
  case keySpecifications
  /// One of them.
  case keySpecification
  /// The beginning of one's search for keys, or the continuation of that search.
  case keySearch
  /// COMMAND GETKEYSANDFLAGS.
  case keysAndFlags
  /// One of them.
  case keyAndFlags
  /// COMMAND DOCS, and its subcommands.
  case documentations
  /// One of them.
  case documentation
  /// The arguments of a command.
  case documentedArguments
  /// One of them.
  case documentedArgument
  /// CLUSTER SLOTS.
  case slotRanges
  /// One of them.
  case slotRange
  /// A node of one of them.
  case slotNode
  /// CLUSTER SHARDS.
  case shards
  /// One of them.
  case shard
  /// CLUSTER SLOT-STATS.
  case slotStatistics
  /// The numbers of one slot.
  case slotStatistic

  /// Whether only the top level differs.
  @inline(__always)
  var isShallow: Bool { rawValue <= ReplyShape.set.rawValue }

  /// Whether a bulk string differs only if it is null.
  @inline(__always)
  var isAboutArrays: Bool { rawValue <= ReplyShape.plain.rawValue }

  /// Whether the reply may take more bytes in RESP3.
  var mayGrow: Bool {
    switch self {
    case .pairs, .scoredMembers, .verbatim, .verbatimLines: true
    default: false
    }
  }
}
