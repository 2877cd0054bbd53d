internal import MultiStore
internal import RESP

/// The types of clients that servers distinguish. The sidecar has no replicas and is not a replica.
enum ClientType {
  case normal, pubsub, master, replica

  /// - Parameter knowsPrimary: Whether PRIMARY is another word for MASTER.
  init(_ name: Span<UInt8>, knowsPrimary: Bool = false) throws(ClientCommandError) {
    if name.isKeyword("NORMAL") {
      self = .normal
    } else if name.isKeyword("PUBSUB") {
      self = .pubsub
    } else if name.isKeyword("MASTER") || knowsPrimary && name.isKeyword("PRIMARY") {
      self = .master
    } else if name.isKeyword("REPLICA") || name.isKeyword("SLAVE") {
      self = .replica
    } else {
      throw ClientCommandError(text: "ERR Unknown client type '\(ServerWords.shown(name))'")
    }
  }
}

/// A condition on a client, by which CLIENT LIST and CLIENT KILL select. The words are those of Valkey 9.1.
enum ClientCondition {
  /// The names of the options.
  enum Option: String, CaseIterable {
    case id = "ID"
    case type = "TYPE"
    case user = "USER"
    case address = "ADDR"
    case localAddress = "LADDR"
    case skipMe = "SKIPME"
    case maxAge = "MAXAGE"
    case idle = "IDLE"
    case name = "NAME"
    case flags = "FLAGS"
    case libraryName = "LIB-NAME"
    case libraryVersion = "LIB-VER"
    case database = "DB"
    case capabilities = "CAPA"
    case ip = "IP"

    init?(_ argument: Span<UInt8>) {
      let name = ServerWords.shown(argument).uppercased()
      guard let option = Option(rawValue: name) else { return nil }
      self = option
    }

    /// The option whose name follows NOT-. The times and SKIPME have no such form.
    init?(negated argument: Span<UInt8>) {
      let name = ServerWords.shown(argument).uppercased()
      guard name.hasPrefix("NOT-"), let option = Option(rawValue: String(name.dropFirst(4))),
        option != .maxAge, option != .idle, option != .skipMe
      else { return nil }
      self = option
    }
  }

  case id(Set<Int>)
  case type(ClientType)
  case user(String)
  case address(String)
  case localAddress(String)
  /// The least seconds since the client has connected.
  case age(Int)
  /// The least seconds since it was active.
  case idle(Int)
  case name(String)
  case flags(String)
  case libraryName(String)
  case libraryVersion(String)
  case database(Int)
  /// The sidecar's clients have no capabilities.
  case capabilities(String)
  case ip(String)

  /// The flags that a server knows.
  private static let knownFlags = "bcdeirtuxyABCEIJMNOPRSTU"

  /// - Parameters:
  ///   - isUnwanted: Whether the option has NOT- before it.
  ///   - isUser: Tells whether there is a user of this name.
  init(
    _ option: Option,
    _ value: Span<UInt8>,
    isUnwanted: Bool,
    _ isUser: (String) -> Bool
  ) throws(ClientCommandError) {
    let text = ServerWords.shown(value, atMost: .max)
    let shownOption = isUnwanted ? "NOT-\(option.rawValue)" : option.rawValue
    switch option {
    case .type: self = .type(try ClientType(value, knowsPrimary: true))
    case .user:
      guard isUser(text) else { throw ClientCommandError(text: "ERR No such user '\(ServerWords.shown(value))'") }
      self = .user(text)
    case .address: self = .address(text)
    case .localAddress: self = .localAddress(text)
    case .maxAge: self = .age(try Self.seconds(value, "maxage"))
    case .idle: self = .idle(try Self.seconds(value, "idle"))
    case .name: self = .name(text)
    case .flags: self = .flags(try Self.letters(value, of: Self.knownFlags, "flags", isUnwanted, shownOption))
    case .libraryName: self = .libraryName(text)
    case .libraryVersion: self = .libraryVersion(text)
    case .database:
      guard let number = value.canonicalDecimal else {
        throw ClientCommandError(text: "ERR \(shownOption) is not an integer or out of range")
      }
      self = .database(number)
    case .capabilities: self = .capabilities(try Self.letters(value, of: "r", "capa", isUnwanted, shownOption))
    case .ip: self = .ip(text)
    case .id, .skipMe: throw .syntax
    }
  }

  /// The numbers of clients, if that is the condition.
  var ids: Set<Int>? { if case .id(let ids) = self { ids } else { nil } }

  func holds(for session: Session) -> Bool {
    switch self {
    case .id(let ids): ids.contains(session.id)
    case .type(let type): session.clientType == type
    case .user(let user): session.client.user == user
    case .address(let address): session.shownAddress == address
    case .localAddress(let address): session.shownLocalAddress == address
    case .age(let seconds): session.ageSeconds >= seconds
    case .idle(let seconds): session.idleSeconds >= seconds
    case .name(let name): !name.isEmpty && session.client.name == name
    case .flags(let flags): flags.allSatisfy(session.flags.contains)
    case .libraryName(let name): !name.isEmpty && session.client.libraryName == name
    case .libraryVersion(let version): !version.isEmpty && session.client.libraryVersion == version
    case .database(let number): session.database.number == number
    case .capabilities(let capabilities): capabilities.isEmpty
    case .ip(let ip): session.ip == ip
    }
  }

  private static func seconds(_ value: Span<UInt8>, _ name: String) throws(ClientCommandError) -> Int {
    guard let seconds = value.canonicalDecimal else {
      throw ClientCommandError(text: "ERR \(name) is not an integer or out of range")
    }
    guard seconds > 0 else { throw ClientCommandError(text: "ERR \(name) should be greater than 0") }
    return seconds
  }

  private static func letters(
    _ value: Span<UInt8>,
    of known: String,
    _ name: String,
    _ isUnwanted: Bool,
    _ option: String
  ) throws(ClientCommandError) -> String {
    let text = ServerWords.shown(value, atMost: .max)
    guard text.allSatisfy(known.contains) else {
      let filter = isUnwanted ? "\(option) filter" : "provided filter"
      throw ClientCommandError(text: "ERR Unknown \(name) found in the \(filter): \(ServerWords.shown(value))")
    }
    return text
  }
}
