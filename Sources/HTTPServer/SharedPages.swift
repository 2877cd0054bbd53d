internal import Synchronization

/// Answers that requests of one turn share: many clients that ask for the same page at once cost one rendering of it,
/// and a probe that has come with them does not wait for more.
final class SharedPages: Sendable {
  private struct Key: Hashable {
    let path: String
    let query: [HTTPField]
    let accept: String?
    let isCompressed: Bool
  }

  /// More answers of one turn are not kept: with other query parameters each client could ask for one of its own.
  private static let maximumPages = 8

  private let pages = Mutex<[Key: HTTPResponse]>([:])

  /// The answer to a request, rendered if it was not in this turn.
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
