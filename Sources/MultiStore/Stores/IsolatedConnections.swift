internal import Hiredis

/// The connections of one store for scripts and unlisted commands. Loop-confined.
///
/// A server that executes a script for too long answers commands with BUSY, but does not read from the connection that
/// the script came on. So a command goes over a connection without another one in flight, if there is any.
struct IsolatedConnections {
  /// The longest wait of a command for its reply before others avoid its connection.
  static let patience = Duration.milliseconds(100)
  /// The most connections. A server executes one script at a time, so no other script waits on the second one for long.
  static let limit = 2

  private(set) var all: [HiredisConnection] = []

  /// The connection for the next command; nil if one more is to be opened.
  var next: HiredisConnection? {
    if let idle = all.first(where: { $0.inFlightCount == 0 && $0.takesCommands }) { return idle }
    // If the store can't be reached, commands would only wait for another connection too.
    if all.count < Self.limit, all.allSatisfy(\.takesCommands) { return nil }
    let prompt = all.filter { !Self.isStuck($0) }.min { $0.inFlightCount < $1.inFlightCount }
    return prompt ?? all.min { ($0.longestWait ?? .zero) < ($1.longestWait ?? .zero) }
  }

  /// The same for a command whose copy depends on its position among others: they share a connection unless it is
  /// stuck.
  var nextInOrder: HiredisConnection? {
    all.first { !Self.isStuck($0) } ?? next
  }

  /// Whether a command has waited for longer than scripts usually take.
  var areStuck: Bool { all.contains(where: Self.isStuck) }

  mutating func append(_ connection: HiredisConnection) {
    all.append(connection)
  }

  func contains(_ connection: HiredisConnection) -> Bool { all.contains { $0 === connection } }

  private static func isStuck(_ connection: HiredisConnection) -> Bool {
    connection.longestWait.map { $0 >= patience } ?? false
  }
}
