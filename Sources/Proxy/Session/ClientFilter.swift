internal import RESP

/// The clients that CLIENT LIST or CLIENT KILL applies to.
struct ClientFilter {
  /// The conditions that hold for a client, by the names of their options: the last one of each name counts.
  private var wanted: [ClientCondition.Option: ClientCondition] = [:]
  /// The conditions of which none holds.
  private var unwanted: [ClientCondition.Option: ClientCondition] = [:]
  /// Whether the client that sends the command is excluded.
  private(set) var sparesCaller: Bool

  /// CLIENT LIST [TYPE type] [ID id [id …]], as Redis has it.
  init(listing arguments: borrowing ArgumentList) throws(ClientCommandError) {
    sparesCaller = false
    let count = arguments.argumentCount
    guard count > 2 else { return }
    if count == 4, arguments.argument(at: 2).isKeyword("TYPE") {
      wanted[.type] = .type(try ClientType(arguments.argument(at: 3)))
    } else if count > 3, arguments.argument(at: 2).isKeyword("ID") {
      var ids: Set<Int> = []
      for index in 3..<count {
        guard let id = arguments.argument(at: index).canonicalDecimal else {
          throw ClientCommandError(text: "ERR Invalid client ID")
        }
        ids.insert(id)
      }
      wanted[.id] = .id(ids)
    } else {
      throw .syntax
    }
  }

  /// CLIENT KILL addr
  init(address: Span<UInt8>) {
    sparesCaller = false
    wanted[.address] = .address(ServerWords.shown(address, atMost: .max))
  }

  /// CLIENT KILL option value [option value …] as Redis has it.
  init(killing arguments: borrowing ArgumentList, isUser: (String) -> Bool) throws(ClientCommandError) {
    sparesCaller = true
    var index = 2
    while index < arguments.argumentCount {
      guard index + 1 < arguments.argumentCount else { throw .syntax }
      let (name, value) = (arguments.argument(at: index), arguments.argument(at: index + 1))
      switch ClientCondition.Option(name) {
      case .skipMe: sparesCaller = try Self.isYes(value)
      case .id:
        guard let id = value.canonicalDecimal, id > 0 else { throw .clientIDIsTooLow }
        wanted[.id] = .id([id])
      case .type: wanted[.type] = .type(try ClientType(value))
      case .user, .address, .localAddress:
        guard let option = ClientCondition.Option(name) else { throw .syntax }
        wanted[option] = try ClientCondition(option, value, isUnwanted: false, isUser)
      default: throw .syntax
      }
      index += 2
    }
  }

  /// The options of CLIENT LIST and CLIENT KILL as Valkey 9 has them: any number, each with NOT- before it or without.
  ///
  /// - Parameter sparesCaller: Whether the caller is excluded unless SKIPME says otherwise.
  init(
    options arguments: borrowing ArgumentList,
    sparesCaller: Bool,
    isUser: (String) -> Bool
  ) throws(ClientCommandError) {
    self.sparesCaller = sparesCaller
    var index = 2
    while index < arguments.argumentCount {
      guard index + 1 < arguments.argumentCount else { throw .syntax }
      let (name, value) = (arguments.argument(at: index), arguments.argument(at: index + 1))
      index += 2
      if name.isKeyword("SKIPME") {
        self.sparesCaller = try Self.isYes(value)
        continue
      }
      let negated = ClientCondition.Option(negated: name)
      guard let option = negated ?? ClientCondition.Option(name) else { throw .syntax }
      let conditions = negated == nil ? \Self.wanted : \Self.unwanted
      guard option == .id else {
        self[keyPath: conditions][option] = try ClientCondition(option, value, isUnwanted: negated != nil, isUser)
        continue
      }
      var ids = self[keyPath: conditions][.id]?.ids ?? []
      // Without a number, ID means nobody.
      index -= 1
      while index < arguments.argumentCount, let id = arguments.argument(at: index).canonicalDecimal {
        guard id > 0 else { throw .clientIDIsTooLow }
        ids.insert(id)
        index += 1
      }
      self[keyPath: conditions][.id] = .id(ids)
    }
  }

  func matches(_ session: Session) -> Bool {
    wanted.values.allSatisfy { $0.holds(for: session) } && !unwanted.values.contains { $0.holds(for: session) }
  }

  private static func isYes(_ value: Span<UInt8>) throws(ClientCommandError) -> Bool {
    guard value.isKeyword("YES") || value.isKeyword("NO") else { throw .syntax }
    return value.isKeyword("YES")
  }
}
