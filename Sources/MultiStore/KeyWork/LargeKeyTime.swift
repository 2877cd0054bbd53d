internal import Hiredis

/// The time that a store gets for a large key. The commands behind it wait for as long as the server takes, and without
/// that time the connection would be closed, as one of a server that hangs, each time that the key is copied.
struct LargeKeyTime {
  /// The size from which on a key gets time, in bytes.
  private static let leastBytes = 1 << 20
  /// The bytes of a key, in a server's memory or in a dump, for which a server gets a second. Servers take 100 to 250
  /// million bytes of memory in a second (sets of millions of members, strings), and less when they are busy.
  private static let bytesPerSecond = 32 << 20
  /// The most time, in seconds, whatever size a server tells.
  private static let mostSeconds = 600.0

  /// The most bytes that the key is known to have.
  private var bytes = 0
  private var connection: HiredisConnection?

  /// Begins the time of the store that is reached over `connection`, if the key is large.
  ///
  /// - Parameter bytes: the key's size, as far as it is known now.
  mutating func begin(bytes: Int, on connection: HiredisConnection) {
    self.bytes = max(self.bytes, bytes)
    guard self.bytes >= Self.leastBytes else { return }
    self.connection = connection
    let seconds = min(Double(self.bytes) / Double(Self.bytesPerSecond), Self.mostSeconds)
    connection.longCommandBegan(allowance: .seconds(seconds))
  }

  /// Ends the time that was begun last, if any.
  mutating func end() {
    connection?.longCommandEnded()
    connection = nil
  }
}
