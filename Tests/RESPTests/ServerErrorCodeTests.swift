internal import RESP
internal import Testing

@Suite("Server error codes")
struct ServerErrorCodeTests {
  @Test(
    "The first word of an error reply is its code, if it is known",
    arguments: [
      ("ERR unknown command", ServerErrorCode.generic), ("LOADING Redis is loading", .loading),
      ("NOAUTH Authentication required.", .noAuthentication), ("NOPERM", .noPermission),
      ("NOSCRIPT No matching script.", .noScript), ("WRONGTYPE Operation", .wrongType),
      ("OOM command not allowed", .outOfMemory), ("READONLY You can't write", .readOnly),
      ("NOREPLICAS Not enough", .noReplicas), ("MISCONF Redis is configured", .misconfigured),
      ("EXECABORT Transaction", nil), ("ERROR", nil), ("", nil),
      ("err lower case", nil),
    ] as [(String, ServerErrorCode?)]
  )
  func codes(text: String, code: ServerErrorCode?) {
    #expect(ServerErrorCode(errorReply: text) == code)
  }
}
