internal import Hiredis
internal import RESP

/// The functions of the default store, with the facts about their libraries' texts. Loop-confined; the instance owns
/// it, and the store's connection retains it.
final class KnownFunctions: ReplyReceiver {
  /// The knowledge about a function.
  enum Function: Equatable {
    /// Nothing yet.
    case unknown
    /// Both stores can execute it.
    case repeatable
    /// They would do different things, because of what it calls.
    case unrepeatable(String)
  }

  /// The most names, more than any application has functions: beyond it they are forgotten, and asked for again.
  static let maxCount = 10_000

  private static let question = CommandWriter.command("FUNCTION", "LIST", "WITHCODE")

  private var functions: [String: Function] = [:]
  private var isAsking = false
  /// The store to ask once more, since its functions have changed while an answer was awaited; nil if none has to be.
  private var changedStore: Store?

  /// Asks a store for its functions, unless an answer is awaited.
  func ask(_ store: Store) {
    guard !isAsking else { return }
    isAsking = true
    store.ordinary.send(Self.question.span, to: self, token: 0)
  }

  /// Asks a store for its functions, which have changed: an answer that is awaited may be older.
  func askAgain(_ store: Store) {
    if isAsking { changedStore = store } else { ask(store) }
  }

  /// The function that a call names.
  func function(of command: Span<UInt8>) -> Function {
    guard let name = ArgumentCursor(command).argument(at: 1) else { return .repeatable }
    return functions[String(decoding: name.array, as: UTF8.self)] ?? .unknown
  }

  /// Records the library that a client's command loads. Each text in it may be the name of a function, of this library
  /// or of another one. So a function that can't be repeated stays one until the store has listed its functions.
  ///
  /// - Parameter isLoaded: false while the store may still refuse the library, so that it adds no function that can be
  ///   repeated.
  func note(_ command: Span<UInt8>, isLoaded: Bool) {
    let arguments = ArgumentCursor(command)
    guard let body = arguments.argument(at: arguments.count - 1) else { return }
    let text = ScriptText(body)
    let function = Self.function(text)
    if function == .repeatable, !isLoaded { return }
    if functions.count + text.texts.count > Self.maxCount { forget() }
    for name in text.texts.prefix(Self.maxCount) {
      if function == .repeatable, case .unrepeatable? = functions[name] { continue }
      functions[name] = function
    }
  }

  /// Notes that the functions may be others from now on.
  func forget() { functions = [:] }

  func receive(_ reply: borrowing Reply, token: Int) {
    isAsking = false
    if let store = changedStore.take() { return ask(store) }
    guard reply.kind == .array else { return }
    functions = [:]
    for index in 0..<reply.count { note(reply[index]) }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    isAsking = false
    if let store = changedStore.take() { ask(store) }
  }

  /// Records a library: a list of names and values.
  private func note(_ library: borrowing Reply) {
    var names: [String] = []
    var function = Function.unknown
    for index in stride(from: 0, to: library.count - 1, by: 2) {
      let value = library[index + 1]
      switch Self.text(library[index]) {
      case "functions": for place in 0..<value.count { names += Self.names(value[place]) }
      case "library_code": function = Self.function(ScriptText(value.bytes))
      default: break
      }
    }
    for name in names { functions[name] = function }
  }

  private static func names(_ function: borrowing Reply) -> [String] {
    for index in stride(from: 0, to: function.count - 1, by: 2) where text(function[index]) == "name" {
      return [text(function[index + 1])]
    }
    return []
  }

  private static func text(_ reply: borrowing Reply) -> String { String(decoding: reply.bytes.array, as: UTF8.self) }

  private static func function(_ text: ScriptText) -> Function {
    text.unrepeatable.map(Function.unrepeatable) ?? .repeatable
  }
}
