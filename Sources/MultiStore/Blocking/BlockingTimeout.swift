internal import RESP

/// The position and unit of a blocking command's timeout.
struct BlockingTimeout {
  /// Longer timeouts, of more than 31 years, count as endless: their nanoseconds may not fit into an integer.
  private static let longestMilliseconds = 1e12

  private let index: Int
  private let isInMilliseconds: Bool

  /// Nil for a command that can't be resumed on another store.
  init?(_ command: Span<UInt8>, _ spec: CommandSpec) {
    if spec.traits.contains(.blocksWhenAsked) {
      // The names of XREADGROUP's group and consumer may be anything.
      guard let index = Self.blockOption(command, from: spec.traits.contains(.writes) ? 4 : 1) else { return nil }
      self.index = index
      isInMilliseconds = true
    } else if spec.commandClass == .blocking {
      // BLMPOP and BZMPOP have it before their keys, the others at the end.
      if case .counted = spec.keys { index = 1 } else { index = ArgumentCursor(command).count - 1 }
      isInMilliseconds = false
    } else {
      return nil
    }
  }

  /// Returns the timeout of `command`; nil if it waits for ever, or has a timeout that only a server can parse.
  func duration(in command: Span<UInt8>) -> Duration? {
    guard let text = ArgumentCursor(command).argument(at: index) else { return nil }
    return timeLeft(text, after: .zero).map { Duration.milliseconds($0) }
  }

  /// Writes `command` with the rest of its timeout after `elapsed`.
  ///
  /// - Returns: false if none is left.
  func rewrite(_ command: Span<UInt8>, after elapsed: Duration, into rewritten: inout ByteBuffer) -> Bool {
    rewritten.removeAll()
    guard let text = ArgumentCursor(command).argument(at: index), let left = timeLeft(text, after: elapsed) else {
      rewritten.append(command)
      return true
    }
    guard left > 0 else { return false }
    var arguments = ArgumentCursor(command)
    rewritten.appendCommand(expecting: arguments.count) { rewritten in
      while let argument = arguments.next() {
        if arguments.index - 1 == index { rewritten.append(text: spelled(left)) } else { rewritten.append(argument) }
      }
    }
    return true
  }

  /// The time left in milliseconds; nil if the command waits for ever, or has a timeout that only a server can parse.
  private func timeLeft(_ text: Span<UInt8>, after elapsed: Duration) -> Int? {
    guard let number = Double(String(decoding: text.array, as: UTF8.self)), number > 0 else { return nil }
    let milliseconds = isInMilliseconds ? number : number * 1000
    guard milliseconds < Self.longestMilliseconds else { return nil }
    return Int((milliseconds - elapsed / .milliseconds(1)).rounded(.up))
  }

  private func spelled(_ milliseconds: Int) -> String {
    if isInMilliseconds { return String(milliseconds) }
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }

  private static func blockOption(_ command: Span<UInt8>, from first: Int) -> Int? {
    var arguments = ArgumentCursor(command)
    while let argument = arguments.next() {
      guard arguments.index > first else { continue }
      if argument.isKeyword("STREAMS") { return nil }
      if argument.isKeyword("BLOCK") { return arguments.index < arguments.count ? arguments.index : nil }
    }
    return nil
  }
}
