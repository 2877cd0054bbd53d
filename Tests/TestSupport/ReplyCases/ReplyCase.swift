/// A command, and what has to be done before it, so that its replies in RESP2 and RESP3 differ in all the ways that
/// they can: with each option, of keys that are there and that are not, and of the wrong type.
///
/// Words are separated by spaces; one with spaces in it stands between apostrophes, where `\n` is a line break.
public struct ReplyCase: Sendable, CustomStringConvertible {
  /// What differs from one execution of the same command on equal data to the next, or between two servers.
  public struct Variation: OptionSet, Sendable {
    /// The set as bits.
    public let rawValue: Int

    /// A set from its bits.
    public init(rawValue: Int) {
      self.rawValue = rawValue
    }

    /// Numbers: times, IDs, sizes of memory.
    public static let numbers = Variation(rawValue: 1 << 0)
    /// The order of values, which each server draws for itself.
    public static let order = Variation(rawValue: 1 << 1)
    /// Texts and numbers, by chance: what is left are the kinds of the values, and how they are nested.
    public static let contents = Variation(rawValue: 1 << 2)
    /// The script makes a value that RESP2 has no form for: what is left is the value in RESP2.
    public static let form = Variation(rawValue: 1 << 3)
  }

  /// The command's words.
  public let command: [String]
  /// The words of the commands before it.
  public let setup: [[String]]
  /// What differs each time.
  public let variation: Variation
  /// The case as it is written, for messages.
  public let description: String

  init(_ command: String, _ setup: String..., varies variation: Variation = []) {
    self.command = Self.words(command)
    self.setup = setup.map(Self.words)
    self.variation = variation
    description = ([command] + setup).joined(separator: " | ")
  }

  /// All cases.
  public static let all =
    strings + lists + sets + sortedSets + hashes + streams + geo + keys + scripts + connection + server

  /// Commands that make two executions of a case begin alike, whatever the cases before have left. SLOWLOG takes only
  /// what a case asks for: on a busy machine any command may take the usual ten milliseconds.
  public static let reset = [
    "FLUSHALL", "FUNCTION FLUSH", "SCRIPT FLUSH", "CONFIG SET slowlog-log-slower-than 10000000", "SLOWLOG RESET",
    "CONFIG SET latency-monitor-threshold 0", "LATENCY RESET", "ACL DELUSER u", "ACL LOG RESET", "CONFIG RESETSTAT",
  ].map(words)

  /// `reply` without what differs each time, for a comparison.
  public func normalized(_ reply: [UInt8], also further: Variation = []) -> [UInt8] {
    let variation = variation.union(further)
    var result = reply
    if variation.contains(.form) { result = RESPBytes.downgraded(result) }
    if variation.contains(.contents) { result = RESPBytes.kinds(result) }
    if variation.contains(.numbers) { result = RESPBytes.withoutNumbers(result) }
    if variation.contains(.order) { result = RESPBytes.sorted(result) }
    return result
  }

  private static func words(_ line: String) -> [String] {
    let parts = line.split(separator: "'", omittingEmptySubsequences: false)
    return parts.enumerated().flatMap { index, part in
      index % 2 == 0
        ? part.split(separator: " ").map(String.init)
        : [part.replacing("\\n", with: "\n")].map(String.init)
    }
  }
}
