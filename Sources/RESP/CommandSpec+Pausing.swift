/// The commands that CLIENT PAUSE WRITE holds.
extension CommandSpec {
  /// Whether a server that pauses writes holds `command`, one of this line, as far as that can be known outside of the
  /// server: whether it may change data, or is sent to replicas.
  ///
  /// A name that no server knows may be a module's write. A script that is called by its digest, and a function, may
  /// have the flag `no-writes`, which only the server knows: both count as writes.
  public func mayReplicate(_ command: Span<UInt8>) -> Bool {
    guard id != .other else { return true }
    guard !traits.isDisjoint(with: [.writes, .isReplicated]) else { return false }
    guard id == .eval, let script = ArgumentCursor(command).argument(at: 1) else { return true }
    return !Self.declaresNoWrites(script)
  }

  /// Whether the first line of a script is like `#!lua flags=no-writes,allow-stale`.
  private static func declaresNoWrites(_ script: Span<UInt8>) -> Bool {
    guard script.count > 2, script[0] == UInt8(ascii: "#"), script[1] == UInt8(ascii: "!") else { return false }
    let line = script.array.prefix { $0 != UInt8(ascii: "\n") }
    return String(decoding: line, as: UTF8.self).split(separator: " ").dropFirst().contains { option in
      option.hasPrefix("flags=") && option.dropFirst("flags=".count).split(separator: ",").contains("no-writes")
    }
  }
}
