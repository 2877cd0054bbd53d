internal import RESP

/// The clients that CLIENT LIST or CLIENT KILL applies to.
struct ClientFilter {
  /// The types of clients that servers distinguish. The sidecar has no replicas and is not a replica.
  enum ClientType {
    case normal, pubsub, master, replica

    init(_ name: Span<UInt8>) throws(ClientCommandError) {
      if name.isKeyword("NORMAL") {
        self = .normal
      } else if name.isKeyword("PUBSUB") {
        self = .pubsub
      } else if name.isKeyword("MASTER") {
        self = .master
      } else if name.isKeyword("REPLICA") || name.isKeyword("SLAVE") {
        self = .replica
      } else {
        throw ClientCommandError(text: "ERR Unknown client type '\(ServerWords.shown(name))'")
      }
    }
  }

  private var ids: Set<Int>?
  private var type: ClientType?
  private var user: String?
  private var address: String?
  private var localAddress: String?
  /// Whether the client that sends the command is excluded.
  private(set) var sparesCaller = true

  /// CLIENT LIST [TYPE type] [ID id [id …]]
  init(listing arguments: borrowing ArgumentList) throws(ClientCommandError) {
    let count = arguments.argumentCount
    guard count > 2 else { return }
    if count == 4, arguments.argument(at: 2).isKeyword("TYPE") {
      type = try ClientType(arguments.argument(at: 3))
    } else if count > 3, arguments.argument(at: 2).isKeyword("ID") {
      var ids: Set<Int> = []
      for index in 3..<count {
        guard let id = arguments.argument(at: index).canonicalDecimal else {
          throw ClientCommandError(text: "ERR Invalid client ID")
        }
        ids.insert(id)
      }
      self.ids = ids
    } else {
      throw .syntax
    }
  }

  /// CLIENT KILL addr, or CLIENT KILL option value [option value …]
  init(killing arguments: borrowing ArgumentList, isUser: (String) -> Bool) throws(ClientCommandError) {
    let count = arguments.argumentCount
    guard count > 3 else {
      address = ServerWords.shown(arguments.argument(at: 2), atMost: .max)
      sparesCaller = false
      return
    }
    var index = 2
    while index < count {
      guard index + 1 < count else { throw .syntax }
      try read(arguments.argument(at: index), arguments.argument(at: index + 1), isUser)
      index += 2
    }
  }

  func matches(_ session: Session) -> Bool {
    (ids?.contains(session.id) ?? true) && (type.map { $0 == session.clientType } ?? true)
      && (user.map { $0 == session.client.user } ?? true)
      && (address.map { $0 == session.shownAddress } ?? true)
      && (localAddress.map { $0 == session.shownLocalAddress } ?? true)
  }

  private mutating func read(
    _ option: Span<UInt8>,
    _ value: Span<UInt8>,
    _ isUser: (String) -> Bool
  ) throws(ClientCommandError) {
    let text = ServerWords.shown(value, atMost: .max)
    if option.isKeyword("ID") {
      guard let id = value.canonicalDecimal, id > 0 else {
        throw ClientCommandError(text: "ERR client-id should be greater than 0")
      }
      ids = [id]
    } else if option.isKeyword("TYPE") {
      type = try ClientType(value)
    } else if option.isKeyword("ADDR") {
      address = text
    } else if option.isKeyword("LADDR") {
      localAddress = text
    } else if option.isKeyword("USER") {
      guard isUser(text) else { throw ClientCommandError(text: "ERR No such user '\(ServerWords.shown(value))'") }
      user = text
    } else if option.isKeyword("SKIPME"), value.isKeyword("YES") || value.isKeyword("NO") {
      sparesCaller = value.isKeyword("YES")
    } else {
      throw .syntax
    }
  }
}
