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

  /// Asks a store for its functions, unless an answer is awaited.
  func ask(_ store: Store) {
    guard !isAsking else { return }
    isAsking = true
    store.ordinary.send(Self.question.span, to: self, token: 0)
  }

  /// The function that a call names.
  func function(of command: Span<UInt8>) -> Function {
    guard let name = ArgumentCursor(command).argument(at: 1) else { return .repeatable }
    return functions[String(decoding: name.array, as: UTF8.self)] ?? .unknown
  }

  /// Records the library that a client's command loads. Each text in it may be the name of a function.
  func note(_ command: Span<UInt8>) {
    let arguments = ArgumentCursor(command)
    guard let body = arguments.argument(at: arguments.count - 1) else { return }
    let text = ScriptText(body)
    if functions.count + text.texts.count > Self.maxCount { forget() }
    for name in text.texts.prefix(Self.maxCount) { functions[name] = Self.function(text) }
  }

  /// Notes that the functions may be others from now on.
  func forget() { functions = [:] }

  func receive(_ reply: borrowing Reply, token: Int) {
    isAsking = false
    guard reply.kind == .array else { return }
    functions = [:]
    for index in 0..<reply.count { note(reply[index]) }
  }

  func receive(failure: ConnectionFailure, token: Int) { isAsking = false }

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
