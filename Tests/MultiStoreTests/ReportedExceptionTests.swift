internal import Hiredis
@testable internal import MultiStore
internal import Testing

@Suite("Reported exceptions")
struct ReportedExceptionTests {
  @Test(
    "A failure is the exception that redis-rb would have raised",
    arguments: [
      (ConnectionFailure.notConnected(reason: "refused"), "Redis::CannotConnectError"),
      (.closed, "Redis::CannotConnectError"),
      (.connectionLost(reason: "reset"), "Redis::ConnectionError"),
      (.timedOut, "Redis::TimeoutError"),
      (.queueFull(limit: 1), "MultiStore::QueueFullError"),
    ]
  )
  func failures(failure: ConnectionFailure, name: String) {
    let exception = ReportedException(failure)
    #expect(exception.name.rawValue == name)
    #expect(exception.message == failure.description)
    #expect(CopyFailure(failure).exception == exception)
  }

  @Test("An error reply is a command's error, of which the code alone is shown")
  func errorReply() {
    let exception = ReportedException(errorReply: "WRONGTYPE")
    #expect(exception.name.rawValue == "Redis::CommandError")
    #expect(exception.message == "error reply WRONGTYPE")
  }
}
