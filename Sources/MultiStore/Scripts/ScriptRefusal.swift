/// The reason why a script can't be executed on both stores.
public enum ScriptRefusal: Equatable, Sendable {
  /// It is called by its digest, and its text is not known. A client sends the text then, as to a server.
  case unknownDigest
  /// The text of the function is not known yet. It is being read from the default store.
  case unknownFunction
  /// It calls this command or function, whose result differs between the stores.
  case unrepeatable(String)

  /// The error reply that a client gets.
  public var clientError: String {
    switch self {
    case .unknownDigest: "NOSCRIPT No matching script. Please use EVAL."
    case .unknownFunction:
      "ERR MultiStore: the text of the function is not known yet, and is being read from the store: send it again"
    case .unrepeatable(let name):
      "ERR MultiStore: the script calls \(name), whose result differs between the stores, so that it can't be "
        + "executed on both: pass the value as an argument, or set scripts: copy_keys for this instance"
    }
  }
}
