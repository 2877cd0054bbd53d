/// Finds a command by its name: open addressing over one flat array, each name kept once in one array of bytes.
///
/// A subcommand is found within its container, a command within `CommandID.other`, so that a name that a client spells
/// `object|freq` finds nothing.
struct CommandIndex: Sendable {
  /// The position of a line's name, and the container that it is looked up within.
  private struct Entry {
    var start: UInt16
    var count: UInt8
    var container: CommandID
  }

  /// The number of slots: about five times the lines of the table, so that a miss mostly ends at its first slot. A
  /// power of two.
  private static let slotCount = 2048

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
      entries.append(Entry(start: UInt16(names.count), count: UInt8(ownName.count), container: container))
      names.append(contentsOf: ownName)
      longestName = max(longestName, ownName.count)
      if spec.id != .other { insert(spec.id, Array(ownName)) }
    }
  }

  /// Returns the ID of `name` in any case, or `CommandID.other`.
  func find(_ name: Span<UInt8>, within container: CommandID) -> CommandID {
    guard name.count <= longestName else { return .other }
    var slot = Self.slot(of: name, within: container)
    while slots[slot] != .other {
      if isEntry(slots[slot], named: name, within: container) { return slots[slot] }
      slot = (slot + 1) & (Self.slotCount - 1)
    }
    return .other
  }

  private mutating func insert(_ id: CommandID, _ name: [UInt8]) {
    var slot = Self.slot(of: name.span, within: entries[Int(id.rawValue)].container)
    while slots[slot] != .other { slot = (slot + 1) & (Self.slotCount - 1) }
    slots[slot] = id
  }

  private func isEntry(_ id: CommandID, named name: Span<UInt8>, within container: CommandID) -> Bool {
    let entry = entries[Int(id.rawValue)]
    guard entry.container == container, Int(entry.count) == name.count else { return false }
    let start = Int(entry.start)
    for offset in name.indices where names[start + offset] != lowercased(name[offset]) { return false }
    return true
  }

  /// Returns the first slot to search: FNV-1a of the lower-case name, which the container's ID precedes.
  private static func slot(of name: Span<UInt8>, within container: CommandID) -> Int {
    var hash: UInt32 = 2_166_136_261 ^ UInt32(container.rawValue)
    for offset in name.indices {
      hash = (hash ^ UInt32(lowercased(name[offset]))) &* 16_777_619
    }
    // The high bits are the better mixed ones.
    return Int((hash ^ (hash >> 15)) & UInt32(slotCount - 1))
  }
}

/// Returns the ASCII letter in lower case, and any other byte unchanged.
@inline(__always)
func lowercased(_ byte: UInt8) -> UInt8 {
  byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
}
