internal import RESP

/// The error of a subcommand of CLIENT that was not executed.
struct ClientCommandError: Error {
  let text: String

  static let syntax = ClientCommandError(text: ServerWords.syntaxError)
  static let notAnInteger = ClientCommandError(text: "ERR value is not an integer or out of range")
  static let clientIDIsTooLow = ClientCommandError(text: "ERR client-id should be greater than 0")
  static let noSuchClient = ClientCommandError(text: "ERR No such client")
  static let unblockReason = ClientCommandError(text: "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
  static let cachingWithoutTracking = ClientCommandError(
    text: "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
  )
  static let noTracking = ClientCommandError(
    text: "ERR MultiStore: keys can't be tracked through the sidecar: the connection to the store is shared by many "
      + "clients"
  )
  static let noUnblock = ClientCommandError(
    text: "ERR MultiStore: the store does not tell the number of the connection that the client waits on"
  )

  static let pauseMode = ClientCommandError(text: "ERR CLIENT PAUSE mode must be WRITE or ALL")
  static let timeoutIsNoInteger = ClientCommandError(text: "ERR timeout is not an integer or out of range")
  static let timeoutIsNegative = ClientCommandError(text: "ERR timeout is negative")
  static let timeoutIsOutOfRange = ClientCommandError(text: "ERR timeout is out of range")

  static func wrongNumberOfArguments(_ arguments: borrowing ArgumentList) -> ClientCommandError {
    let subcommand = ServerWords.shown(arguments.argument(at: 1))
    return ClientCommandError(
      text: "ERR unknown subcommand or wrong number of arguments for '\(subcommand)'. Try CLIENT HELP."
    )
  }
}
