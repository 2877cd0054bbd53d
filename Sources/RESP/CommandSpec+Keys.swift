// The positions of a command's keys. A command that the servers would refuse as a syntax error may have none.
extension CommandSpec {
  /// Calls `body` with the index of each key among `arguments`, in rising order but for a STORE option's destination.
  /// Allocates nothing.
  public func forEachKey<Arguments: CommandArguments & ~Copyable & ~Escapable>(
    in arguments: borrowing Arguments,
    _ body: (Int) -> Void
  ) {
    let count = arguments.argumentCount
    switch keys {
    case .none:
      return
    case .range(let first, let last, let step):
      let end = last < 0 ? count + last : min(last, count - 1)
      for index in stride(from: first, through: end, by: step) { body(index) }
    case .counted(let countAt, let step, let destination):
      guard countAt < count, let keyCount = arguments.count(at: countAt) else { return }
      guard keyCount * step < count - countAt else { return }
      if destination != 0 { body(destination) }
      for number in 0..<keyCount { body(countAt + 1 + number * step) }
    case .streams:
      guard let keyword = options(of: arguments).streams else { return }
      for index in stride(from: keyword + 1, through: keyword + (count - 1 - keyword) / 2, by: 1) { body(index) }
    case .sort, .geoRadius:
      guard count > 1 else { return }
      body(1)
      if let destination = storeDestination(in: arguments) { body(destination) }
    case .migrate:
      guard count > 3 else { return }
      if !arguments.argument(at: 3).isEmpty { return body(3) }
      guard let keyword = keysKeyword(in: arguments) else { return }
      for index in stride(from: keyword + 1, to: count, by: 1) { body(index) }
    }
  }

  /// Returns the class of one command: that of the table, unless its options make it another. SORT without STORE is a
  /// read though the servers can only flag SORT as a whole, and XREAD with BLOCK is blocking.
  public func commandClass<Arguments: CommandArguments & ~Copyable & ~Escapable>(
    of arguments: borrowing Arguments
  ) -> CommandClass {
    // Most commands have no such option, and need only one test of the bits.
    guard isClassedByOptions else { return commandClass }
    let count = arguments.argumentCount
    if traits.contains(.blocksWhenAsked) {
      return options(of: arguments).block ? .blocking : commandClass
    }
    if traits.contains(.readsUnlessStore) {
      return storeDestination(in: arguments) == nil ? .read : commandClass
    }
    if traits.contains(.readsWithoutOptions) {
      return count <= 2 ? .read : commandClass
    }
    for index in stride(from: 2, to: count, by: 1)
    where arguments.argument(at: index, is: "set") || arguments.argument(at: index, is: "incrby") {
      return commandClass
    }
    return .read
  }

  /// The other class that a command may have by its options; its own for one whose options decide nothing.
  public var classByOptions: CommandClass {
    if !isClassedByOptions { return commandClass }
    return traits.contains(.blocksWhenAsked) ? .blocking : .read
  }

  /// Returns the database besides the client's own in which the whole command `bytes` changes its last key; nil when it
  /// names none, or not by a number.
  public func otherDatabase(ofCommand bytes: Span<UInt8>) -> Int? {
    guard traits.contains(.namesDatabase) else { return nil }
    let arguments = ArgumentList(bytes)
    let count = arguments.argumentCount
    guard keys == .two else { return count > 2 ? arguments.argument(at: 2).decimal : nil }  // MOVE
    var database: Int?
    for index in stride(from: 3, to: count - 1, by: 1) where arguments.argument(at: index, is: "db") {
      database = arguments.argument(at: index + 1).decimal
    }
    return database
  }

  static let decidedByOptions: CommandTraits = [
    .blocksWhenAsked, .readsUnlessStore, .readsWithoutOptions, .readsUnlessBitsChange,
  ]

  /// Returns the index after the last STORE (or STOREDIST) option, where the servers look for it. The last one counts.
  private func storeDestination<Arguments: CommandArguments & ~Copyable & ~Escapable>(
    in arguments: borrowing Arguments
  ) -> Int? {
    var destination: Int?
    var index = 2
    let isSort = keys == .sort
    if case .geoRadius(let optionsAt) = keys { index = optionsAt }
    while index + 1 < arguments.argumentCount {
      if arguments.argument(at: index, is: "store") || !isSort && arguments.argument(at: index, is: "storedist") {
        destination = index + 1
        index += 2
      } else if isSort, arguments.argument(at: index, is: "limit") {
        index += 3
      } else if isSort, arguments.argument(at: index, is: "by") || arguments.argument(at: index, is: "get") {
        index += 2
      } else {
        index += 1
      }
    }
    return destination
  }

  /// Returns the index of STREAMS in XREAD and XREADGROUP, and whether BLOCK precedes it. The server stops at an option
  /// that it doesn't know, and so does this.
  private func options<Arguments: CommandArguments & ~Copyable & ~Escapable>(
    of arguments: borrowing Arguments
  ) -> (streams: Int?, block: Bool) {
    var block = false
    var index = 1
    while index < arguments.argumentCount {
      if arguments.argument(at: index, is: "streams") { return (index, block) }
      if arguments.argument(at: index, is: "block") {
        block = true
        index += 2
      } else if arguments.argument(at: index, is: "count") {
        index += 2
      } else if arguments.argument(at: index, is: "group") {
        index += 3
      } else if arguments.argument(at: index, is: "noack") {
        index += 1
      } else {
        break
      }
    }
    return (nil, block)
  }

  /// Returns the index of KEYS in MIGRATE. The arguments of AUTH and AUTH2 are skipped: a password may be `keys`.
  private func keysKeyword<Arguments: CommandArguments & ~Copyable & ~Escapable>(
    in arguments: borrowing Arguments
  ) -> Int? {
    var index = 6
    while index < arguments.argumentCount {
      if arguments.argument(at: index, is: "keys") { return index }
      if arguments.argument(at: index, is: "auth") {
        index += 2
      } else if arguments.argument(at: index, is: "auth2") {
        index += 3
      } else {
        index += 1
      }
    }
    return nil
  }
}
