internal import Synchronization

/// Answers that requests of one turn share: many requests for the same page cost one rendering, and a probe among them
/// does not wait for more.
final class SharedPages: Sendable {
  private struct Key: Hashable {
    let path: String
    let query: [HTTPField]
    let accept: String?
    let isCompressed: Bool
  }

  /// The number of answers that are kept in a turn, since clients can request any number of queries.
  private static let maximumPages = 8

  private let pages = Mutex<[Key: HTTPResponse]>([:])

  /// Returns the answer to a request, rendered unless this turn has it already.
  func page(
    for request: HTTPDispatcher.RawRequest,
    of route: HTTPRoute,
    isCompressed: Bool,
    _ render: () -> HTTPResponse
  ) -> HTTPResponse {
    guard route.isShared else { return render() }
    let key = Key(
      path: request.escapedPath,
      query: request.escapedQuery,
      accept: request.headers.joinedValue(of: "Accept"),
      isCompressed: isCompressed
    )
    if let page = pages.withLock({ $0[key] }) { return page }
    let page = render()
    pages.withLock { if $0.count < Self.maximumPages { $0[key] = page } }
    return page
  }

  /// Ends the turn.
  func removeAll() {
    pages.withLock { if !$0.isEmpty { $0.removeAll(keepingCapacity: true) } }
  }
}
