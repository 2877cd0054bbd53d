internal import HTTPServer
internal import MultiStore

/// One running instance for routes that need its loop. Any thread.
struct InstanceAccess: Sendable {
  /// The time within which the loop has to execute a question.
  static let deadline = Duration.seconds(2)

  /// The instance's status, for any thread.
  let status: InstanceStatus
  /// Executes a function on the instance's loop, or never once that has ended.
  let execute: @Sendable (_ work: @escaping @Sendable (Instance) -> Void) -> Void

  /// The instance did not answer in time, and was not changed.
  struct NoAnswer: Error {
    let instance: String

    /// The answer for the client.
    var response: HTTPResponse {
      .text(
        "The instance \(instance) did not answer in time: it is busy, or stopping. Nothing was changed.",
        status: 503
      )
    }
  }

  /// Asks the instance, and waits for its answer.
  func ask<Answer: Sendable>(
    within timeout: Duration = deadline,
    _ body: @escaping @Sendable (Instance) -> Answer
  ) throws(NoAnswer) -> Answer {
    let question = LoopQuestion<Answer>()
    execute { instance in question.execute { body(instance) } }
    guard let answer = question.answer(within: timeout) else { throw NoAnswer(instance: status.instanceName) }
    return answer
  }
}

extension [InstanceAccess] {
  /// The instances' names, in the order of the configuration.
  var names: [String] { map(\.status.instanceName) }

  /// Returns the instance of a name.
  func named(_ name: String) -> InstanceAccess? { first { $0.status.instanceName == name } }

  /// The answer to a request that names no instance.
  var unknownInstance: HTTPResponse {
    .text("There is no such instance. Known instances: \(names.joined(separator: " "))", status: 404)
  }
}
