/// The closed table of every command and subcommand of Redis 7.0 and Valkey 9.
///
/// A line's class follows the flags that the servers report; tests compare the whole table with live servers. It is
/// immutable, so any thread may use it.
public enum CommandTable {
  /// All lines: `CommandID.other` first, then by name. A line's index is its ID.
  public static let all: [CommandSpec] = numbered(
    [
      strings, bitmaps, lists, sets, sortedSets, hashes, streams, geo, keys, pubsub, scripts, connection, server,
    ].flatMap { $0 }
  )

  /// The names of all lines, in a form that is quick to search.
  private static let index = CommandIndex(all)

  /// Returns the line of a command.
  @inline(__always)
  public static func spec(_ id: CommandID) -> CommandSpec {
    all[Int(id.rawValue)]
  }

  /// Returns the ID of the command `name` in any case; `CommandID.other` if no server knows it. Allocates nothing.
  ///
  /// For a command with subcommands this is the container's line: look it up again with the subcommand.
  public static func lookup(_ name: Span<UInt8>) -> CommandID {
    index.find(name, within: .other)
  }

  /// Returns the ID of the command `name` with its first argument `subcommand`. Allocates nothing.
  ///
  /// It is the container's own line if no server knows the subcommand, and `name`'s line if it has no subcommands.
  public static func lookup(_ name: Span<UInt8>, subcommand: Span<UInt8>) -> CommandID {
    index.find(name, subcommand: subcommand)
  }

  /// Returns the ID of a command that is known to be in the table.
  static func id(ofKnown name: StaticString, subcommand: StaticString? = nil) -> CommandID {
    let fullName = subcommand.map { "\(name)|\($0)" } ?? name.description
    guard let spec = all.first(where: { $0.name.description == fullName }) else {
      preconditionFailure("the command table lacks \(fullName)")
    }
    return spec.id
  }

  /// Sorts the lines by name, and gives each its ID and that of its label.
  private static func numbered(_ lines: [CommandSpec]) -> [CommandSpec] {
    let sorted = lines.map { (name: $0.name.description, spec: $0) }.sorted { $0.name < $1.name }
    var result = [CommandSpec("other", .unlisted, arity: 0)]
    var ids: [String: CommandID] = [:]
    for (name, spec) in sorted {
      var spec = spec
      spec.id = CommandID(rawValue: UInt16(result.count))
      precondition(ids.updateValue(spec.id, forKey: name) == nil, "the command table has \(name) twice")
      // A container's name is the beginning of its subcommands' names, so it has been numbered before them.
      let container = name.prefix { $0 != "|" }
      guard let labelID = ids[String(container)] else { preconditionFailure("\(name) has no container") }
      spec.labelID = labelID
      result.append(spec)
    }
    return result
  }
}
