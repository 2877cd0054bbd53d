/// Finds a command by its name: open addressing over one flat array, each name kept once in one array of bytes.
///
/// A subcommand is found within its container, a command within `CommandID.other`, so that a name that a client spells
/// `object|freq` finds nothing.
struct CommandIndex: Sendable {
  /// A line's name, and the container that it is looked up within.
  private struct Entry {
    /// See ``CommandIndex/beginning(of:)``.
    var beginning: UInt64
    /// The position of the whole name in `names`.
    var start: UInt16
    var count: UInt8
    var hasSubcommands: Bool
    var container: CommandID
  }

  /// The number of slots: about five times the lines of the table, so that a miss mostly ends at its first slot.
  private static let slotCount = 1 << slotBits
  private static let slotBits = 11

  /// IDs by hash; `CommandID.other` marks a free slot.
  private var slots = [CommandID](repeating: .other, count: slotCount)
  /// The entries by ID.
  private var entries: [Entry] = []
  /// The last part of each name, one after the other.
  private var names: [UInt8] = []
  /// The length of the longest name in the table: longer names aren't even hashed.
  private var longestName = 0

  /// Creates an index of the table's lines, which are in the order of their IDs.
  init(_ lines: [CommandSpec]) {
    precondition(lines.count < Self.slotCount / 2, "the command index is too full to be quick: double slotCount")
    for spec in lines {
      let isSubcommand = spec.id != spec.labelID
      let ownName = spec.name.description.utf8.split(separator: UInt8(ascii: "|")).last ?? ""[...].utf8
      let container = isSubcommand ? spec.labelID : .other
      let name = Array(ownName)
      entries.append(
        Entry(
          beginning: Self.beginning(of: name.span),
          start: UInt16(names.count),
          count: UInt8(name.count),
          hasSubcommands: spec.traits.contains(.hasSubcommands),
          container: container
        )
      )
      names.append(contentsOf: name)
      longestName = max(longestName, name.count)
      if spec.id != .other { insert(spec.id) }
    }
  }

  /// Returns the ID of the command `name` with its first argument `subcommand`, both in any case: the container's own
  /// if there is no such subcommand, that of `name` if it has none, or `CommandID.other`.
  func find(_ name: Span<UInt8>, subcommand: Span<UInt8>) -> CommandID {
    let id = find(name, within: .other)
    guard entries[Int(id.rawValue)].hasSubcommands else { return id }
    let found = find(subcommand, within: id)
    return found == .other ? id : found
  }

  /// Returns the ID of `name` in any case, or `CommandID.other`.
  func find(_ name: Span<UInt8>, within container: CommandID) -> CommandID {
    guard name.count <= longestName else { return .other }
    let beginning = Self.beginning(of: name)
    var slot = Self.slot(of: beginning, name.count, within: container)
    while slots[slot] != .other {
      if isEntry(slots[slot], beginning, name, within: container) { return slots[slot] }
      slot = (slot + 1) & (Self.slotCount - 1)
    }
    return .other
  }

  private mutating func insert(_ id: CommandID) {
    let entry = entries[Int(id.rawValue)]
    var slot = Self.slot(of: entry.beginning, Int(entry.count), within: entry.container)
    while slots[slot] != .other { slot = (slot + 1) & (Self.slotCount - 1) }
    slots[slot] = id
  }

  @inline(__always)
  private func isEntry(
    _ id: CommandID,
    _ beginning: UInt64,
    _ name: Span<UInt8>,
    within container: CommandID
  ) -> Bool {
    let entry = entries[Int(id.rawValue)]
    guard entry.beginning == beginning, entry.container == container, Int(entry.count) == name.count else {
      return false
    }
    guard name.count > Self.beginningBytes else { return true }
    let start = Int(entry.start)
    for offset in Self.beginningBytes..<name.count where names[start + offset] != lowercased(name[offset]) {
      return false
    }
    return true
  }

  /// The bytes of a name that are compared at once. Most names have no more.
  private static let beginningBytes = 8

  /// Returns the first bytes of a name in lower case, as one number.
  @inline(__always)
  private static func beginning(of name: Span<UInt8>) -> UInt64 {
    var beginning: UInt64 = 0
    for offset in 0..<min(name.count, beginningBytes) {
      beginning = beginning << 8 | UInt64(lowercased(name[offset]))
    }
    return beginning
  }

  /// Returns the first slot to search: a multiplicative hash, whose highest bits depend on all bits of the value.
  @inline(__always)
  private static func slot(of beginning: UInt64, _ count: Int, within container: CommandID) -> Int {
    let value = beginning ^ UInt64(count) << 56 ^ UInt64(container.rawValue) << 40
    return Int((value &* 0x9E37_79B9_7F4A_7C15) >> (64 - UInt64(slotBits)))
  }
}

/// Returns the ASCII letter in lower case, and any other byte unchanged.
@inline(__always)
func lowercased(_ byte: UInt8) -> UInt8 {
  byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
}
