/// The positions of a command's keys among its arguments. Argument 0 is the command's name.
public enum KeyPositions: Hashable, Sendable {
  /// There are none.
  case none
  /// Every `step`-th argument from `first` to `last`; a negative `last` counts from the end, -1 being the last one.
  case range(first: Int, last: Int, step: Int)
  /// Argument `countAt` is the number of keys, which follow it `step` apart (2 where each has a value beside it).
  /// Argument `destination` is a key too, unless it is 0.
  case counted(countAt: Int, step: Int, destination: Int)
  /// The first half of the arguments after the keyword STREAMS: XREAD and XREADGROUP.
  case streams
  /// Argument 1, and the argument after the last STORE: SORT.
  case sort
  /// Argument 1, and the one after the last STORE or STOREDIST from argument `optionsAt` on: GEORADIUS and its sibling.
  case geoRadius(optionsAt: Int)
  /// Argument 3, or everything after the keyword KEYS where argument 3 is empty: MIGRATE.
  case migrate

  /// Argument 1.
  static let one: KeyPositions = .range(first: 1, last: 1, step: 1)
  /// Arguments 1 and 2.
  static let two: KeyPositions = .range(first: 1, last: 2, step: 1)
  /// All arguments after the name.
  static let all: KeyPositions = .range(first: 1, last: -1, step: 1)
  /// All arguments after the name but the last, which is a timeout.
  static let allButLast: KeyPositions = .range(first: 1, last: -2, step: 1)
  /// Argument 2, after a subcommand.
  static let second: KeyPositions = .range(first: 2, last: 2, step: 1)
  /// Every other argument: keys with values between.
  static let alternating: KeyPositions = .range(first: 1, last: -1, step: 2)

  /// A number of keys at `index`, then the keys.
  static func counted(at index: Int) -> KeyPositions {
    .counted(countAt: index, step: 1, destination: 0)
  }

  /// A destination at 1, a number of keys at 2, then the keys.
  static let destinationAndCounted: KeyPositions = .counted(countAt: 2, step: 1, destination: 1)
}
