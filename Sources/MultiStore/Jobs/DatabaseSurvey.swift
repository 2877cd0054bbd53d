internal import Hiredis
internal import RESP

/// The keys of a store's databases, as far as they are known.
struct DatabaseFigures {
  /// The figures of each database that is in use or has keys, by its number.
  fileprivate(set) var databases: [Int: StoreKeyspace?] = [:]
  /// Whether the store has told which databases have keys.
  fileprivate(set) var areKnown = true

  /// The figures of a database; nil if they are not known.
  subscript(number: Int) -> StoreKeyspace? { databases[number] ?? (areKnown ? .empty : nil) }
}

/// Asks both stores which databases have keys, and how many. A store that refuses the question is taken to have those
/// in use; one that is busy, or does not answer, has to be asked again. Loop-confined; the stores' connections retain
/// it.
final class DatabaseSurvey: ReplyReceiver {
  private static let command = CommandWriter.command("INFO", "keyspace")
  private static let roles = StoreRole.allCases

  private let instance: Instance
  private let then: ([StoreRole: DatabaseFigures]?) -> Void
  private var found: [StoreRole: DatabaseFigures] = [:]
  private var hasFailed = false
  private var left: Int

  private init(of instance: Instance, then: @escaping ([StoreRole: DatabaseFigures]?) -> Void) {
    self.instance = instance
    self.then = then
    left = Self.roles.count
  }

  /// - Parameter then: called once, with the figures, or with nil if a store has to be asked again.
  static func begin(of instance: Instance, then: @escaping ([StoreRole: DatabaseFigures]?) -> Void) {
    let survey = DatabaseSurvey(of: instance, then: then)
    for (token, role) in roles.enumerated() {
      instance.family(role).first.ordinary.send(command.span, to: survey, token: token)
    }
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    let text = reply.kind == .string ? String(decoding: reply.bytes.array, as: UTF8.self) : ""
    let isRefused = reply.knownErrorCode == .noPermission || reply.knownErrorCode == .generic
    if reply.kind == .error, !isRefused { hasFailed = true }
    answered(Self.roles[token], StoreKeyspace.databases(info: text))
  }

  func receive(failure: ConnectionFailure, token: Int) {
    hasFailed = true
    answered(Self.roles[token], nil)
  }

  private func answered(_ role: StoreRole, _ figures: [Int: StoreKeyspace]?) {
    let first = instance.family(role).first
    var all = DatabaseFigures(areKnown: figures != nil)
    for database in instance.databases.all {
      let found: StoreKeyspace? = figures.map { $0[database.store(role).database] ?? .empty }
      all.databases.updateValue(found, forKey: database.number)
    }
    if instance.configuration.servesOtherDatabases {
      for (number, keys) in figures ?? [:] where number != first.database && all.databases[number] == nil {
        all.databases[number] = keys
      }
    }
    found[role] = all
    left -= 1
    if left == 0 { then(hasFailed ? nil : found) }
  }
}
