internal import Hiredis
internal import RESP

/// The keys of each database by its number, nil where they are not known, for each store.
typealias DatabaseFigures = [StoreRole: [Int: StoreKeyspace?]]

/// Asks both stores which databases have keys, and how many. A store that refuses the question is taken to have those
/// in use; one that is busy, or does not answer, has to be asked again. Loop-confined; the stores' connections retain
/// it.
final class DatabaseSurvey: ReplyReceiver {
  private static let command = CommandWriter.command("INFO", "keyspace")
  private static let roles = StoreRole.allCases

  private let instance: Instance
  private let then: (DatabaseFigures?) -> Void
  private var found: DatabaseFigures = [:]
  private var hasFailed = false
  private var left: Int

  private init(of instance: Instance, then: @escaping (DatabaseFigures?) -> Void) {
    self.instance = instance
    self.then = then
    left = Self.roles.count
  }

  /// - Parameter then: called once, with the figures, or with nil if a store has to be asked again.
  static func begin(of instance: Instance, then: @escaping (DatabaseFigures?) -> Void) {
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
    var databases: [Int: StoreKeyspace?] = [:]
    for database in instance.databases.all {
      let found: StoreKeyspace? = figures.map { $0[database.store(role).database] ?? .empty }
      databases.updateValue(found, forKey: database.number)
    }
    if instance.configuration.servesOtherDatabases {
      for (number, keys) in figures ?? [:] where number != first.database && databases[number] == nil {
        databases[number] = keys
      }
    }
    found[role] = databases
    left -= 1
    if left == 0 { then(hasFailed ? nil : found) }
  }
}
